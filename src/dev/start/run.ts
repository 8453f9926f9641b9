import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type EmulatedAzure, startAzure } from '../emulator/azure.ts';
import type { EmulatedStorage } from '../emulator/storage.ts';
import { createCors } from '../../http/cors.ts';
import { type Host, startHost } from '../host/host.ts';
import { checkPort } from './listen.ts';
import { loadLocalSettings } from './local-settings.ts';
import { logToStdout } from './log.ts';
import { stopOnSignals } from './signals.ts';

const DEFAULT_PORT = 7071;
/** Milliseconds per word of the emulated model's streams, which is about the speed of a real model. */
const WORD_DELAY_MS = 40;
/** Settings that name a storage account. */
const STORAGE_SETTING = /^(?:IMAGE_CONTAINERS|JOBS_STORAGE_ACCOUNT|JobsStorage__.+)$/;

/** The emulated storage account, which is used unless a setting names another. */
interface StorageOptions {
  /** The folder for its data. Each port has its own subfolder, because two runs at once must not share one. */
  folder: string;
  /** A folder whose images are uploaded to it. */
  images: string;
}

/**
 * Serves a built app on this machine until Ctrl-C or SIGTERM. If no endpoint is set, it also starts an emulated Azure.
 * If the app cannot start, it prints the reason without a stack, because the reason is almost always a setting.
 *
 * @param prepare - resolves with the app's directory
 */
export async function run(prepare: () => Promise<string>, storageOptions?: StorageOptions): Promise<void> {
  try {
    loadLocalSettings();
    const port = readPort();
    const functionKey = readFunctionKey();
    const maxBodyBytes = readPositive('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT', 'bytes');
    const queueVisibilitySeconds = readPositive('QUEUE_VISIBILITY_SECONDS', 'seconds');
    // The build and Azurite write files that an app on this port uses. The host fails, too, if the port is taken later.
    await checkPort(port);
    // Azurite starts while the app is built, because it takes about two seconds. Only queue triggers wait for it.
    const storage = storageOptions && (await emulateStorage(storageOptions, port));
    const appDir = await prepare();
    const azure = await emulateAzure();
    const host = await startHost({
      appDir,
      port,
      maxBodyBytes,
      functionKey,
      queueVisibilitySeconds,
      async prepareQueue(name) {
        await storage?.ready;
        await storage?.queues.getQueueClient(name).createIfNotExists();
      },
      home: '/api/playground',
      cors: createCors(process.env['CORS_ALLOWED_ORIGINS']),
      log: logToStdout,
    });
    stopOnSignals().addEventListener('abort', () => void end(host, azure, storage));
    greet(host, azure, functionKey);
    if (storage) await putImages(storageOptions.images, storage);
  } catch (error) {
    console.error(explain(error));
    process.exit(1);
  }
}

async function emulateAzure(): Promise<EmulatedAzure | undefined> {
  if (endpoint()) return undefined;
  const name = ['AZURE_OPENAI_DEPLOYMENT', 'GPT4V_DEPLOYMENT'].find((each) => process.env[each]?.trim());
  if (name)
    throw new Error(
      `${name} is set, but AZURE_OPENAI_ENDPOINT is not. Set both to ask your deployment, or neither to emulate Azure.`,
    );
  const azure = await startAzure({ wordDelayMs: WORD_DELAY_MS });
  Object.assign(process.env, azure.env);
  return azure;
}

async function emulateStorage({ folder }: StorageOptions, port: number): Promise<EmulatedStorage | undefined> {
  const isSet = Object.entries(process.env).some(([name, value]) => value?.trim() && STORAGE_SETTING.test(name));
  if (isSet) return undefined;
  const { startStorage } = await import('../emulator/storage.ts');
  const storage = await startStorage(port === 0 ? undefined : join(folder, String(port)));
  Object.assign(process.env, storage.env);
  return storage;
}

async function putImages(folder: string, storage: EmulatedStorage): Promise<void> {
  await storage.ready;
  const { uploadImages } = await import('./upload-images.ts');
  const count = await uploadImages(folder, storage.images);
  logToStdout('information', 'Storage', `${storage.images.url} has the ${count} images of ${folder}.`);
}

/** Returns the endpoint, if one is set. Like the app, it treats a blank setting as not set. */
function endpoint(): string | undefined {
  return process.env['AZURE_OPENAI_ENDPOINT']?.trim() || process.env['GPT4V_ENDPOINT']?.trim();
}

function readPort(): number {
  const port = Number(process.env['PORT'] || DEFAULT_PORT);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error('PORT must be a whole number from 0 (any free port) to 65535.');
}

/** Makes a key for this run if FUNCTION_KEYS is on. Without it, callers need no key, as with `func start`. */
function readFunctionKey(): string | undefined {
  const setting = process.env['FUNCTION_KEYS'] || 'off';
  if (setting === 'off') return undefined;
  if (setting === 'on') return randomBytes(24).toString('base64url');
  throw new Error('FUNCTION_KEYS must be on or off.');
}

function readPositive(name: string, unit: string): number | undefined {
  const setting = process.env[name];
  if (!setting) return undefined;
  const value = Number(setting);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${name} must be a whole number of ${unit}, 1 or more.`);
}

function greet({ url, functions }: Host, azure: EmulatedAzure | undefined, key: string | undefined): void {
  const routes = functions
    .filter(({ path }) => !path.includes('{*')) // the route for everything that no other route takes
    .map(({ name, methods, path }) => `  ${name}: ${methods.join(', ')} ${url}/${path}`);
  const model = azure
    ? 'No AZURE_OPENAI_ENDPOINT is set: Azure is emulated here. Sign-in and requests are real, the answers are ' +
      "not a model's."
    : `Model: ${URL.parse(endpoint() ?? '')?.host}`;
  const keys = key && `\nFUNCTION_KEYS is on. Send the key with every request: x-functions-key: ${key}\n`;
  const header = key ? `-H 'x-functions-key: ${key}' ` : '';
  console.log(`
${model}
${keys ?? ''}
${routes.join('\n')}

Try ${url}/api/playground in a browser, or:
  curl ${header}-H 'Transfer-Encoding: chunked' --data-binary @test/images/sailboat.jpg '${url}/api/processImage?instructions=What%20is%20this%3F'

listening on ${url} (Ctrl-C stops it)`);
}

async function end(host: Host, azure: EmulatedAzure | undefined, storage: EmulatedStorage | undefined): Promise<void> {
  try {
    await host.close();
    azure?.close();
    await storage?.close();
  } finally {
    process.exit(0);
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    return (
      `Port ${String(error.port)} is taken, perhaps by another npm start. Choose one that is free: PORT=7072 npm ` +
      'start'
    );
  }
  const isBug = error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError;
  return isBug ? (error.stack ?? error.message) : error.message;
}
