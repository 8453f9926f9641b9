import { app } from '@azure/functions';
import { SettingsError } from './config/environment.ts';
import { DEFAULT_LIMITS } from './config/limits.ts';
import { once } from './config/once.ts';
import { readAuthLevel, readSettings, runsInAzure, type Settings } from './config/settings.ts';
import { takeLargeHeaders } from './functions/large-headers.ts';
import { createHandler } from './http/create-handler.ts';
import { inFlight } from './http/in-flight.ts';
import { openAiErrorResponse } from './http/openai-error.ts';
import { problemResponse } from './http/problem-response.ts';
import { chatCompletions } from './routes/chat-completions.ts';
import { health } from './routes/health.ts';
import { openApi } from './routes/openapi.ts';
import { processImage } from './routes/process-image.ts';
import { ready } from './routes/ready.ts';
import { lazyService } from './routes/service.ts';
import { readDestinations } from './telemetry/destinations.ts';
import { Telemetry } from './telemetry/telemetry.ts';
import { surviveUnhandledRejections } from './unhandled-rejections.ts';

/** The deadline of a request that can only be answered with `misconfigured`. */
const FALLBACK_TIMEOUT_MS = 120_000;

/** The host ends a worker 5 s after it asks it to terminate. */
const TERMINATE_MS = 4_500;
/** The share of that time that sending the last telemetry may take. */
const LAST_TELEMETRY_MS = 2_000;

surviveUnhandledRejections();
takeLargeHeaders();

const settings = loadSettings();
const timeoutMs = settings instanceof SettingsError ? FALLBACK_TIMEOUT_MS : settings.requestTimeoutMs;
const limits = settings instanceof SettingsError ? DEFAULT_LIMITS : settings;
const authLevel = readAuthLevel(process.env);
const service = lazyService(settings, process.env);
const telemetry = createTelemetry();
const observe = telemetry?.observe;
const load = {
  processImage: once(async () => processImage(await service())),
  playground: once(async () => (await import('./routes/playground.ts')).playground(limits, authLevel)),
  ready: once(async () => ready(settings, service)),
  chatCompletions: once(async () => chatCompletions(await service())),
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
  handler: createHandler(timeoutMs, { load: load.chatCompletions, toReply: openAiErrorResponse, observe }),
});
app.http('health', { methods: ['GET'], authLevel: 'anonymous', handler: health });
app.http('openapi', {
  methods: ['GET'],
  authLevel: 'anonymous',
  route: 'openapi.json',
  handler: openApi({ limits, authLevel }),
});
app.http('playground', {
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: createHandler(timeoutMs, { load: load.playground, toReply: problemResponse }),
});
app.http('processImage', {
  methods: ['POST'],
  authLevel,
  handler: createHandler(timeoutMs, { load: load.processImage, toReply: problemResponse, observe }),
});
app.http('ready', {
  methods: ['GET'],
  authLevel,
  route: 'health/ready',
  handler: createHandler(timeoutMs, { load: load.ready, toReply: problemResponse }),
});

// The first token is fetched, and telemetry loaded, behind registration, so that the first caller waits for neither.
setImmediate(() => void warmUp());

async function warmUp(): Promise<void> {
  // If the settings are faulty, the next caller is told, with a request id.
  await service().catch(() => undefined);
  await telemetry?.load();
}

/** Nothing of telemetry is loaded unless a destination is set. */
function createTelemetry(): Telemetry | undefined {
  const destinations = readDestinations(process.env);
  if (!destinations) return undefined;
  const signIn = settings instanceof SettingsError ? { auth: 'identity' as const, authorityHost: undefined } : settings;
  return new Telemetry(
    async () => (await import('./telemetry/recorder.ts')).startRecorder(destinations, signIn, console.warn),
    console.warn,
  );
}

/** On a developer's machine faulty settings end the start. In Azure that would hide them behind "no functions found". */
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
