import type { FunctionCallback, FunctionMetadata } from './registry.ts';

/** An HTTP function and where it is reached. */
export interface Route {
  name: string;
  /** Without a leading slash, the prefix included: `api/health`. */
  path: string;
  methods: string[];
  /** The trigger binding's name: under it the request goes into the invocation. */
  trigger: string;
  metadata: FunctionMetadata;
  callback: FunctionCallback;
}

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
          .map(([trigger, { route = metadata.name, methods = [] }]) => ({
            name: metadata.name,
            path: pathOf(prefix, route),
            methods: methods.map((method) => method.toUpperCase()),
            trigger,
            metadata,
            callback,
          })),
      )
      // Not localeCompare(): what it loads takes 7 ms of the app's start.
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  );
}

function pathOf(prefix: string, route: string): string {
  if (/^[/~]|[{}]/.test(route)) {
    throw new Error(`The local host does not take the route '${route}': no leading / or ~, no {parameters}.`);
  }
  return [prefix, route].filter(Boolean).join('/');
}

/** The first route for a request. A known path with the wrong method is no match: the real host says 404 too. */
export function matchRoute(routes: Route[], method: string, target: string): Route | undefined {
  const path = target
    .replace(/\?.*/s, '')
    .replace(/^\/|\/$/g, '')
    .toLowerCase();
  return routes.find((route) => route.path.toLowerCase() === path && route.methods.includes(method));
}
