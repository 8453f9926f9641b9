import type { FunctionCallback, FunctionMetadata } from './registry.ts';

/** An HTTP function and its route. */
export interface Route {
  name: string;
  /** The route template with its prefix, but without a leading slash: `api/models/{id}`. */
  path: string;
  methods: string[];
  /** `anonymous`, or the kind of key that callers need. */
  authLevel: string;
  /** The trigger binding's name, which is the name of the request in the invocation. */
  trigger: string;
  metadata: FunctionMetadata;
  callback: FunctionCallback;
  pattern: Pattern;
}

/** Returns the values of a template's parameters in a path, or undefined if the path does not match. */
type Pattern = (path: string) => Record<string, string> | undefined;

/** The function that takes a request, and the values of its route parameters. */
export interface Match {
  route: Route;
  params: Record<string, string>;
}

/** A parameter: `{id}`, `{id?}`, `{*path}` or `{name:regex(…)}`. Braces inside the expression are doubled. */
const PARAMETER = /^\{(\*{0,2})(\w+)(?::regex\((.*)\))?(\?)?\}$/;
/** A segment of a template. A slash inside a parameter does not end it. */
const SEGMENT = /(?:[^/{}]|\{(?:[^{}]|\{\{|\}\})*\})+/g;
/** Percent-encoded bytes, except for the slash, which stays encoded in ASP.NET routing. */
const ESCAPED = /(?:%(?!2f)[\da-f]{2})+/gi;

/** Characters with a special meaning in a regular expression. */
const SPECIAL = /[.*+?^$()|[\]\\]/g;

/** Returns the routes of all HTTP functions, sorted by name: the real host tries them in this order. */
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
      // localeCompare() would load locale data, which takes 7 ms.
      .toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
  );
}

/**
 * Finds the first route for a request. A known path with another method does not match: the real host also answers 404.
 */
export function matchRoute(routes: Route[], method: string, target: string): Match | undefined {
  const path = pathOf(target);
  for (const route of routes) {
    const params = route.methods.includes(method) ? route.pattern(path) : undefined;
    if (params) return { route, params };
  }
  return undefined;
}

/** Returns the path of a request target in origin or absolute form, with dot segments resolved. */
function pathOf(target: string): string {
  return URL.parse(target.startsWith('/') ? `http://localhost${target}` : target)?.pathname ?? '';
}

/**
 * Compiles a route template of ASP.NET. It supports literal segments, and parameters that are a whole segment. Letter
 * case and a trailing slash do not matter.
 *
 * @throws {Error} for any other template, so that no route behaves differently from the real host
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
    `The local host does not support the route '${route}'. It supports literal segments, {name}, {name?}, ` +
      '{*name} and {name:regex(…)}, but no leading / or ~.',
  );
}

function decode(escaped: string): string {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return escaped;
  }
}
