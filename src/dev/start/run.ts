import { randomBytes } from 'node:crypto';
import { type EmulatedAzure, startAzure } from '../emulator/azure.ts';
import { type Host, startHost } from '../host/host.ts';
import { loadLocalSettings } from './local-settings.ts';
import { logToStdout } from './log.ts';

const DEFAULT_PORT = 7071;
/** The pace at which the emulated model streams to a person: about that of a real one. */
const WORD_DELAY_MS = 40;
/** One Ctrl-C comes twice where npm runs the script: from the terminal, and passed on by npm. */
const SAME_CTRL_C_MS = 500;

/**
 * Serves a built app on this machine until Ctrl-C or SIGTERM, beside an emulated Azure where no endpoint is set.
 * What keeps it from starting is told without a stack: it is almost always a setting.
 */
export async function run(prepare: () => Promise<string>): Promise<void> {
  try {
    loadLocalSettings();
    const appDir = await prepare();
    const azure = await emulateWhereUnset();
    const functionKey = readFunctionKey();
    const host = await startHost({
      appDir,
      port: readPort(),
      maxBodyBytes: readMaxBodyBytes(),
      functionKey,
      log: logToStdout,
    });
    stopOnSignals(host, azure);
    greet(host, azure, functionKey);
  } catch (error) {
    console.error(explain(error));
    process.exit(1);
  }
}

async function emulateWhereUnset(): Promise<EmulatedAzure | undefined> {
  if (endpoint()) return undefined;
  const azure = await startAzure({ wordDelayMs: WORD_DELAY_MS });
  Object.assign(process.env, azure.env);
  return azure;
}

/** The endpoint that is set; blank counts as unset, as it does in the app. */
function endpoint(): string | undefined {
  return process.env['AZURE_OPENAI_ENDPOINT']?.trim() || process.env['GPT4V_ENDPOINT']?.trim();
}

function readPort(): number {
  const port = Number(process.env['PORT'] || DEFAULT_PORT);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error('PORT must be a whole number from 0 (any free port) to 65535.');
}

/** A key for this run, where FUNCTION_KEYS asks for one. `func start` asks callers for none. */
function readFunctionKey(): string | undefined {
  const setting = process.env['FUNCTION_KEYS'] || 'off';
  if (setting === 'off') return undefined;
  if (setting === 'on') return randomBytes(24).toString('base64url');
  throw new Error('FUNCTION_KEYS must be on or off.');
}

/** The Functions host reads the same setting. */
function readMaxBodyBytes(): number | undefined {
  const setting = process.env['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'];
  if (!setting) return undefined;
  const bytes = Number(setting);
  if (Number.isInteger(bytes) && bytes > 0) return bytes;
  throw new Error('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT must be a whole number of bytes.');
}

function greet({ url, functions }: Host, azure: EmulatedAzure | undefined, key: string | undefined): void {
  const routes = functions
    .filter(({ path }) => !path.includes('{*')) // takes what no other route does
    .map(({ name, methods, path }) => `  ${name}: ${methods.join(', ')} ${url}/${path}`);
  const model = azure
    ? "No AZURE_OPENAI_ENDPOINT is set: Azure is emulated here. Sign-in and requests are real, the answers are not a model's."
    : `Model: ${URL.parse(endpoint() ?? '')?.host}`;
  const keys = key && `\nFUNCTION_KEYS is on. Send the key with every request: x-functions-key: ${key}\n`;
  const header = key ? `-H 'x-functions-key: ${key}' ` : '';
  console.log(`
${model}
${keys ?? ''}
${routes.join('\n')}

Try ${url}/api/playground in a browser, or:
  curl ${header}-H 'Transfer-Encoding: chunked' --data-binary @test/images/sailboat.jpg '${url}/api/processImage?instructions=What%20is%20this%3F'

listening on ${url} (Ctrl-C ends it)`);
}

function stopOnSignals(host: Host, azure: EmulatedAzure | undefined): void {
  let stoppingSince: number | undefined;
  const stop = (): void => {
    if (stoppingSince === undefined) {
      stoppingSince = performance.now();
      void host.close().finally(() => {
        azure?.close();
        process.exit(0);
      });
      return;
    }
    if (performance.now() - stoppingSince > SAME_CTRL_C_MS) process.exit(130);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    return `Port ${String(error.port)} is taken, perhaps by another npm start. Choose one that is free: PORT=7072 npm start`;
  }
  const isBug = error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError;
  return isBug ? (error.stack ?? error.message) : error.message;
}
