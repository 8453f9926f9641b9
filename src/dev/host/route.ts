import type { FunctionCallback, FunctionMetadata } from './registry.ts';

/** An HTTP function and where it is reached. */
export interface Route {
  name: string;
  /** The route template without a leading slash, prefix included: `api/models/{id}`. */
  path: string;
  methods: string[];
  /** `anonymous`, or the kind of key that a caller needs. */
  authLevel: string;
  /** The trigger binding's name: under it the request goes into the invocation. */
  trigger: string;
  metadata: FunctionMetadata;
  callback: FunctionCallback;
  pattern: Pattern;
}

/** The values that a request's path has for the parameters of a template; undefined if it does not match. */
type Pattern = (path: string) => Record<string, string> | undefined;

/** The function that takes a request, and the values of its route parameters. */
export interface Match {
  route: Route;
  params: Record<string, string>;
}

/** `{id}`, `{id?}`, `{*path}` or `{name:regex(…)}`; a brace inside the expression is doubled. */
const PARAMETER = /^\{(\*{0,2})(\w+)(?::regex\((.*)\))?(\?)?\}$/;
/** A segment of a template; a slash inside a parameter does not end it. */
const SEGMENT = /(?:[^/{}]|\{(?:[^{}]|\{\{|\}\})*\})+/g;
/** Every escaped byte sequence but the slash, which stays escaped in ASP.NET routing. */
const ESCAPED = /(?:%(?!2f)[\da-f]{2})+/gi;

/** Characters with a meaning of their own in a regular expression. */
const SPECIAL = /[.*+?^$()|[\]\\]/g;

/** The routes of all HTTP functions in the order of their names, in which the real host tries them. */
export function routesOf(
  functions: Iterable<{ metadata: FunctionMetadata; callback: FunctionCallback }>,
  prefix = 'api',
): Route[] {
  return (
    [...functions]
      .flatMap(({ metadata, callback }) =>
        Object.entries(metadata.bindings)
          .filter(([, binding]) => binding.type.toLowerCase() === 'httptrigger')
          .map(([trigger, { route = metadata.name, methods = [], authLevel = 'anonymous' }]) => ({
            name: metadata.name,
            path: [prefix, route].filter(Boolean).join('/'),
            methods: methods.map((method) => method.toUpperCase()),
            authLevel: authLevel.toLowerCase(),
            trigger,
            metadata,
            callback,
            pattern: compile(prefix, route),
          })),
      )
      // Not localeCompare(): what it loads takes 7 ms of the app's start.
      .toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
  );
}

/** The first route that takes a request. A known path with the wrong method is no match: the real host says 404 too. */
export function matchRoute(routes: Route[], method: string, target: string): Match | undefined {
  const path = pathOf(target);
  for (const route of routes) {
    const params = route.methods.includes(method) ? route.pattern(path) : undefined;
    if (params) return { route, params };
  }
  return undefined;
}

/** The path of a request target in origin or absolute form, with dot segments resolved. */
function pathOf(target: string): string {
  return URL.parse(target.startsWith('/') ? `http://localhost${target}` : target)?.pathname ?? '';
}

/**
 * Compiles a route template of ASP.NET, as far as this host takes them: literal segments, and parameters that are a
 * whole segment. Letter case and a trailing slash do not matter.
 *
 * @throws Error for anything else, so that no route silently behaves differently from the real host
 */
function compile(prefix: string, route: string): Pattern {
  const segments = route.match(SEGMENT) ?? [];
  if (segments.join('/') !== route || route.startsWith('~')) throw unsupported(route);
  const names: string[] = [];
  const constraints: (RegExp | undefined)[] = [];
  const source = [prefix, ...segments].filter(Boolean).map((segment) => {
    if (!/[{}]/.test(segment)) return `/${segment.replace(SPECIAL, String.raw`\$&`)}`;
    const [, catchAll = '', name = '', constraint, optional] = PARAMETER.exec(segment) ?? [];
    if (!name) throw unsupported(route);
    names.push(name);
    constraints.push(constraint === undefined ? undefined : new RegExp(constraint.replace(/(\{|\})\1/g, '$1'), 'i'));
    if (catchAll) return '(?:/(.*))?';
    return optional ? '(?:/([^/]+))?' : '/([^/]+)';
  });
  const expression = new RegExp(`^${source.join('')}/?$`, 'i');

  return (path) => {
    const found = expression.exec(path.replace(ESCAPED, decode));
    if (!found) return undefined;
    const values = found.slice(1).map((value: string | undefined) => value ?? '');
    if (!values.every((value, at) => value === '' || (constraints[at]?.test(value) ?? true))) return undefined;
    return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']).filter(([, value]) => value !== ''));
  };
}

function unsupported(route: string): Error {
  return new Error(
    `The local host does not take the route '${route}'. It takes literal segments, {name}, {name?}, {*name} and {name:regex(…)}, and no leading / or ~.`,
  );
}

function decode(escaped: string): string {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return escaped;
  }
}
