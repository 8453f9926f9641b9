import { setTimeout as sleep } from 'node:timers/promises';
import { app } from '@azure/functions';
import { expectNextStart, useCompileCache } from './compile-cache.ts';
import { SettingsError } from './environment.ts';
import { health } from './functions/health.ts';
import { openApi } from './functions/openapi.ts';
import { frontDoor, type Handle } from './http/front-door.ts';
import { inFlight } from './http/in-flight.ts';
import { openAiErrorResponse } from './http/openai-error.ts';
import { problemResponse } from './http/problem-response.ts';
import { surviveUnhandledRejections } from './last-resort.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { once } from './once.ts';
import { lazyService, type Service } from './service.ts';
import { readAuthLevel, readSettings, runsInAzure, type Settings } from './settings.ts';
import { readDestinations } from './telemetry/destinations.ts';
import { Telemetry } from './telemetry/telemetry.ts';

/** Used for answering `misconfigured`, where there is no setting to go by. */
const FALLBACK_TIMEOUT_MS = 120_000;

/** The host ends a worker 5 s after it has asked it to terminate. */
const TERMINATE_MS = 4_500;
/** Of what is left of that when all are answered, which is mostly at once. */
const LAST_TELEMETRY_MS = 2_000;

/** What takes forms, reads preferences and words failures is loaded this long after all else. */
const REST_AFTER_MS = 100;

// Most of the app's code is loaded after this.
useCompileCache();
surviveUnhandledRejections();

const settings = loadSettings();
const timeoutMs = settings instanceof SettingsError ? FALLBACK_TIMEOUT_MS : settings.requestTimeoutMs;
const limits = settings instanceof SettingsError ? DEFAULT_LIMITS : settings;
const authLevel = readAuthLevel(process.env);
const service = lazyService(settings, process.env);
const telemetry = createTelemetry();
const observe = telemetry?.observe;
const load = {
  processImage: once(async () => loaded(({ processImage }, made) => processImage(made))),
  playground: async () => (await import('./functions/playground.ts')).playground(limits, authLevel),
  ready: once(async () => (await import('./handlers.ts')).ready(settings, service)),
  chatCompletions: once(async () => loaded(({ chatCompletions }, made) => chatCompletions(made))),
};

app.setup({ enableHttpStream: true });
app.hook.appTerminate(async () => {
  await inFlight.drained(TERMINATE_MS);
  await telemetry?.end(LAST_TELEMETRY_MS);
});
app.http('chatCompletions', {
  methods: ['POST'],
  authLevel,
  route: 'chat/completions',
  handler: frontDoor(timeoutMs, { load: load.chatCompletions, toReply: openAiErrorResponse, observe }),
});
app.http('health', { methods: ['GET'], authLevel: 'anonymous', handler: health });
app.http('openapi', { methods: ['GET'], authLevel: 'anonymous', route: 'openapi.json', handler: openApi({ limits, authLevel }) });
app.http('playground', {
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: frontDoor(timeoutMs, { load: load.playground, toReply: problemResponse }),
});
app.http('processImage', {
  methods: ['POST'],
  authLevel,
  handler: frontDoor(timeoutMs, { load: load.processImage, toReply: problemResponse, observe }),
});

app.http('ready', {
  methods: ['GET'],
  authLevel,
  route: 'health/ready',
  handler: frontDoor(timeoutMs, { load: load.ready, toReply: problemResponse }),
});

// Behind registration, so that the first caller pays for neither.
setImmediate(() => void warmUp());

/** The service comes first: its token is fetched while handlers are loaded. */
async function loaded(pick: (handlers: typeof import('./handlers.ts'), made: Service) => Handle): Promise<Handle> {
  const made = await service();
  return pick(await import('./handlers.ts'), made);
}

async function warmUp(): Promise<void> {
  try {
    await load.processImage();
    // Whoever waited for that comes first: most callers need none of this.
    await sleep(REST_AFTER_MS, undefined, { ref: false });
    expectNextStart();
    await Promise.all([import('./image/multipart.ts'), import('negotiator'), import('./azure/identity-failure.ts')]);
  } catch {
    // Whoever asks next is told, with a request id.
  }
  await telemetry?.load();
}

/** Nothing of it is loaded where nobody said where it should go. */
function createTelemetry(): Telemetry | undefined {
  const destinations = readDestinations(process.env);
  if (!destinations) return undefined;
  const signIn = settings instanceof SettingsError ? { auth: 'identity' as const, authorityHost: undefined } : settings;
  return new Telemetry(async () => (await import('./telemetry/recorder.ts')).startRecorder(destinations, signIn, console.warn), console.warn);
}

/** On a developer's machine faulty settings end the start; in Azure that would hide them behind "no functions found". */
function loadSettings(): Settings | SettingsError {
  try {
    const read = readSettings(process.env);
    for (const note of read.notes) console.warn(note);
    return read;
  } catch (error) {
    if (!(error instanceof SettingsError) || !runsInAzure(process.env)) throw error;
    console.error(error.message);
    return error;
  }
}
