import type { Limits } from '../config/limits.ts';
import type { AuthLevel } from '../config/sign-in.ts';
import type { Handle, HandlerOptions } from '../http/create-handler.ts';
import type { Service } from './service.ts';

/** The methods that routes of ours take, and those that are refused by name. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

type Method = (typeof METHODS)[number];

/** Where one route is, and what it does. */
export type Route = PublicRoute | ProtectedRoute;

interface RouteBase {
  /** The function's name. The Functions host tries routes in the order of their names. */
  readonly name: string;
  readonly methods: readonly Method[];
  /** Behind the prefix `api/`. */
  readonly path: string;
  /** The shape of its problems. */
  readonly toReply: HandlerOptions['toReply'];
  /** Whether its requests leave no log line and no trace: probes come every few seconds. */
  readonly isQuiet?: true;
}

/** A route that anyone may call. It answers also if the settings are wrong. */
interface PublicRoute extends RouteBase {
  readonly isPublic: true;
  readonly create: (published: Published) => Handle;
}

/** A route for callers with a key or a token. */
interface ProtectedRoute extends RouteBase {
  readonly isPublic: false;
  readonly create: (service: Service) => Handle;
}

/** What anyone may know of this deployment. */
export interface Published {
  readonly limits: Limits;
  /** Of the protected routes. */
  readonly authLevel: AuthLevel;
  /** Undefined if it has no jobs. The container that a page may offer as the source is empty in Azure: anyone may see the page. */
  readonly jobs: { readonly source: string } | undefined;
}
