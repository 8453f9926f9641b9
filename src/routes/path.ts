/** All routes are below this. */
const PREFIX = /^\/api(?:\/|$)/i;

/**
 * The path of a request behind the prefix `/api/`. Letter case and a trailing slash do not matter, as on the Functions
 * host, so it is in lower case and has no trailing slash.
 * @returns undefined if the path is not below the prefix
 */
export function pathBehindPrefix(url: string): string | undefined {
  const { pathname } = new URL(url);
  return PREFIX.test(pathname) ? pathname.replace(PREFIX, '').replace(/\/$/, '').toLowerCase() : undefined;
}

/** Whether a path in lower case is one of a route's. A segment `{name}` stands for any one segment, `{*name}` for all that follow. */
export function matches(template: string, path: string): boolean {
  const wanted = template.toLowerCase().split('/');
  const given = path.split('/');
  if (wanted.at(-1)?.startsWith('{*')) return wanted.slice(0, -1).every((segment, at) => segment === given[at]);
  return (
    wanted.length === given.length &&
    wanted.every((segment, at) => segment === given[at] || (segment.startsWith('{') && given[at] !== ''))
  );
}
