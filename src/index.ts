import { app } from '@azure/functions';
import { SettingsError } from './environment.ts';
import { chatCompletions } from './functions/chat-completions.ts';
import { health } from './functions/health.ts';
import { processImage } from './functions/process-image.ts';
import { lazyService } from './service.ts';
import { readAuthLevel, readSettings, runsInAzure, type Settings } from './settings.ts';

/** Used for answering `misconfigured`, where there is no setting to go by. */
const FALLBACK_TIMEOUT_MS = 120_000;

const settings = loadSettings();
const timeoutMs = settings instanceof SettingsError ? FALLBACK_TIMEOUT_MS : settings.requestTimeoutMs;
const authLevel = readAuthLevel(process.env);
const service = lazyService(settings, process.env);

app.setup({ enableHttpStream: true });
app.http('chatCompletions', { methods: ['POST'], authLevel, route: 'chat/completions', handler: chatCompletions(service, timeoutMs) });
app.http('health', { methods: ['GET'], authLevel: 'anonymous', handler: health });
app.http('processImage', { methods: ['POST'], authLevel, handler: processImage(service, timeoutMs) });

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
