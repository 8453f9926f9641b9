import { SettingsError } from './config/environment.ts';
import { DEFAULT_LIMITS } from './config/limits.ts';
import { DEFAULT_TIMEOUT_SECONDS, readAuthLevel, readSettings, runsInAzure, type Settings } from './config/settings.ts';
import { createHandler, type Handle, type Handler } from './http/create-handler.ts';
import { ENDING } from './doctor/readiness.ts';
import { InFlight } from './http/in-flight.ts';
import { Problem } from './http/problem.ts';
import type { Deadline } from './http/deadline.ts';
import type { IncomingRequest } from './http/incoming-request.ts';
import type { Delivery } from './jobs/work.ts';
import { jobWorker } from './routes/job-worker.ts';
import type { Published, Route } from './routes/route.ts';
import { ROUTES } from './routes/routes.ts';
import { createService, type Service } from './routes/service.ts';
import { readDestinations } from './telemetry/destinations.ts';
import { Telemetry } from './telemetry/telemetry.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Decides who may call the protected routes, on a server that does not check function keys. */
export interface Guard {
  readonly authLevel: Published['authLevel'];
  /** @throws {Problem} if the caller is refused. The body is then not read, and the model is not called. */
  readonly admit: (request: IncomingRequest, deadline: Deadline) => Promise<void>;
}

/** The app. The Functions host or the server can serve it. */
export interface App {
  readonly routes: readonly { readonly route: Route; readonly handler: Handler }[];
  /** The authorization level of the protected routes. */
  readonly authLevel: Published['authLevel'];
  /** The queue of jobs and the function that handles its messages. Undefined if this process does not work on jobs. */
  readonly jobs: { readonly queue: string; readonly work: (delivery: Delivery) => Promise<void> } | undefined;
  /** Fetches the first token and loads telemetry, so that the first caller does not wait for them. */
  readonly warmUp: () => Promise<void>;
  /** Whether the app can answer a question now. Always false after {@link App.end} was called. */
  readonly isReady: () => Promise<boolean>;
  /**
   * Waits at most `drainMs` milliseconds until all requests in progress are answered. Then it sends the last telemetry,
   * for at most `telemetryMs` milliseconds.
   */
  readonly end: (drainMs: number, telemetryMs: number) => Promise<void>;
}

/**
 * Makes the app from its environment variables.
 * @param guard - leave it out on the Functions host, which checks function keys before it calls a function
 * @throws {SettingsError} if settings are invalid and the app does not run in Azure. In Azure, a failed start shows up
 * only as "no functions found", so the app starts and its protected routes answer with the problem `misconfigured`.
 */
export function createApp(variables: Variables, guard?: Guard): App {
  const settings = loadSettings(variables);
  const isFaulty = settings instanceof SettingsError;
  const authLevel = guard?.authLevel ?? readAuthLevel(variables);
  const published = {
    authLevel,
    limits: isFaulty ? DEFAULT_LIMITS : settings,
    jobs: isFaulty || !settings.jobs || guard ? undefined : { source: offeredContainer(settings, variables) },
  };
  let isEnding = false;
  const service = isFaulty
    ? misconfigured(settings)
    : unlessEnding(createService(settings, variables, guard === undefined), () => isEnding);
  const telemetry = createTelemetry(variables, isFaulty ? { auth: 'identity', authorityHost: undefined } : settings);
  const inFlight = new InFlight();
  const observe = telemetry?.observe;

  return {
    authLevel,
    routes: ROUTES.map((route) => {
      const { name, toReply, isQuiet = false } = route;
      const handle = route.isPublic ? route.create(published) : guarded(protectedHandle(route.create, service), guard);
      const handler = createHandler(handle, {
        name,
        timeoutMs: isFaulty ? DEFAULT_TIMEOUT_SECONDS * 1000 : settings.requestTimeoutMs,
        toReply,
        inFlight,
        isQuiet,
        observe,
      });
      return { route, handler };
    }),
    jobs: service instanceof Problem ? undefined : jobWorker(service, { inFlight, observe }),
    async warmUp() {
      // If this fails, the next caller gets the problem.
      if (!(service instanceof Problem)) await service.tokens?.get().catch(() => undefined);
      await telemetry?.load();
    },
    isReady: async () => !(service instanceof Problem) && (await service.readiness()).ok,
    async end(drainMs, telemetryMs) {
      isEnding = true;
      await inFlight.drained(drainMs);
      await telemetry?.end(telemetryMs);
    },
  };
}

/** The container that the playground suggests for a job. In Azure there is none, because anyone can open the page. */
function offeredContainer({ imageContainers: [container = ''] }: Settings, variables: Variables): string {
  return runsInAzure(variables) ? '' : container;
}

function unlessEnding(service: Service, isEnding: () => boolean): Service {
  return { ...service, readiness: async () => (isEnding() ? ENDING : service.readiness()) };
}

function protectedHandle(create: (service: Service) => Handle, service: Service | Problem): Handle {
  return service instanceof Problem ? async () => Promise.reject(service) : create(service);
}

function guarded(handle: Handle, guard: Guard | undefined): Handle {
  if (!guard) return handle;
  return async (context) => {
    await guard.admit(context.request, context.deadline);
    return handle(context);
  };
}

function misconfigured({ faults }: SettingsError): Problem {
  const lines = faults.map(({ setting, fault }) => `${setting} ${fault}`);
  const settings = [...new Set(faults.map(({ setting }) => setting))];
  return new Problem('misconfigured', `The app's settings need attention. ${lines.join(' ')}`, {
    members: { settings },
  });
}

/** Loads telemetry only if a destination is set. */
function createTelemetry(
  variables: Variables,
  signIn: Pick<Settings, 'auth' | 'authorityHost'>,
): Telemetry | undefined {
  const destinations = readDestinations(variables);
  if (!destinations) return undefined;
  return new Telemetry(
    async () => (await import('./telemetry/recorder.ts')).startRecorder(destinations, signIn, console.warn),
    console.warn,
  );
}

function loadSettings(variables: Variables): Settings | SettingsError {
  try {
    const settings = readSettings(variables);
    for (const note of settings.notes) console.warn(note);
    return settings;
  } catch (error) {
    if (!(error instanceof SettingsError) || !runsInAzure(variables)) throw error;
    console.error(error.message);
    return error;
  }
}
