import type { Limits } from '../config/limits.ts';
import type { AuthLevel } from '../config/sign-in.ts';
import type { Handle, HandlerOptions } from '../http/create-handler.ts';
import type { Service } from './service.ts';

/** The methods that the app registers. A method that a path does not take gets `method_not_allowed`. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

type Method = (typeof METHODS)[number];

/** One route: its path, its methods, and how to create its handler. */
export type Route = PublicRoute | ProtectedRoute;

interface RouteBase {
  /** The function's name. The Functions host tries routes in the order of their names. */
  readonly name: string;
  readonly methods: readonly Method[];
  /** The path after the prefix `api/`. It may have segments such as `{id}`. */
  readonly path: string;
  /** Makes the response to a problem. */
  readonly toReply: HandlerOptions['toReply'];
  /** Whether its requests get no log line and no trace, because probes call it every few seconds. */
  readonly isQuiet?: true;
}

/** A route that anyone may call. It also answers if the settings are wrong. */
interface PublicRoute extends RouteBase {
  readonly isPublic: true;
  readonly create: (published: Published) => Handle;
}

/** A route for callers with a key or a token. */
interface ProtectedRoute extends RouteBase {
  readonly isPublic: false;
  readonly create: (service: Service) => Handle;
}

/** The facts about this deployment that anyone may know. */
export interface Published {
  readonly limits: Limits;
  /** How callers of the protected routes sign in. */
  readonly authLevel: AuthLevel;
  /**
   * Undefined if this deployment has no jobs. `source` is a container that the playground offers. It is empty in Azure,
   * because anyone may see the page.
   */
  readonly jobs: { readonly source: string } | undefined;
}
