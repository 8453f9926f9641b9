/** The prefix of all routes. */
const PREFIX = /^\/api(?:\/|$)/i;

/**
 * Returns the path of a request after the prefix `/api/`, in lower case and without a trailing slash: like the
 * Functions host, the app ignores letter case and a trailing slash.
 * @returns undefined if the path is not below the prefix
 */
export function pathBehindPrefix({ pathname }: URL): string | undefined {
  return PREFIX.test(pathname) ? pathname.replace(PREFIX, '').replace(/\/$/, '').toLowerCase() : undefined;
}

/**
 * Returns whether a path matches the template of a route. `{name}` matches any one segment, `{*name}` all that follow.
 * @param path - in lower case
 */
export function matches(template: string, path: string): boolean {
  const wanted = template.toLowerCase().split('/');
  const given = path.split('/');
  if (wanted.at(-1)?.startsWith('{*')) return wanted.slice(0, -1).every((segment, at) => segment === given[at]);
  return (
    wanted.length === given.length &&
    wanted.every((segment, at) => segment === given[at] || (segment.startsWith('{') && given[at] !== ''))
  );
}
