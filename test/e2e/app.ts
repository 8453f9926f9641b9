import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type EmulatedAzure, startAzure, type AzureOptions } from '../../src/dev/emulator/azure.ts';
import { expectNoneIn, keepAllThatReaches, keepKeys } from './secrets.ts';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
/** How this test run serves the app: behind the local Functions host, or as a standalone server. */
export const SERVED_BY = process.env['SERVED_BY'] === 'server' ? 'server' : 'functions';
const SERVE = fileURLToPath(new URL('../../src/dev/start/serve.ts', import.meta.url));

const { PATH, NODE_COMPILE_CACHE } = process.env;
/** The variables that a process needs to run, and to start fast. */
const NEEDED = { PATH, NODE_COMPILE_CACHE };

/** The server does not start unless a setting says who may call it. */
const OPEN: Readonly<Record<string, string>> = SERVED_BY === 'server' ? { HTTP_AUTH_LEVEL: 'anonymous' } : {};

/** Time for an app to start, even if a dozen apps start at once on a busy machine. */
const START_MS = 60_000;

/** The built app, running in its own process. */
export interface App {
  readonly url: string;
  readonly pid: number;
  /** Everything that the process has printed so far. */
  output(): string;
  /** Whether the process is still running. */
  alive(): boolean;
  /**
   * Ends the process.
   * @throws {Error} if it has printed any images, texts or keys that the tests of this file have sent to an app
   */
  stop(): Promise<void>;
}

/**
 * Starts the build in `dist/`, or in another folder, as {@link SERVED_BY} says. The process gets only `env` and the
 * variables that it needs to run. Its working directory is that folder. So no settings of the machine reach it.
 * @param launcher - a command through which the process is started
 */
export async function startApp(
  env: Readonly<Record<string, string>>,
  folder = DIST,
  launcher: readonly string[] = [],
): Promise<App> {
  keepKeys(env);
  const entry = SERVED_BY === 'server' ? ['server.js'] : [SERVE, '.'];
  const [program = process.execPath, ...options] = [...launcher, process.execPath, ...entry];
  const child = spawn(program, options, {
    cwd: folder,
    env: { ...NEEDED, PORT: '0', ...OPEN, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));

  const url = await listening(child, () => output);
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    alive,
    async stop() {
      if (alive()) {
        child.kill('SIGTERM');
        // Wait for `close` and not for `exit`, because output may still arrive after `exit`.
        await once(child, 'close');
      }
      expectNoneIn(output);
    },
  };
}

/** Starts the built app and its own emulated Azure, which records the requests that it receives. */
export async function startBoth(
  env: Readonly<Record<string, string>> = {},
  options: AzureOptions = {},
): Promise<{ app: App; azure: EmulatedAzure }> {
  const azure = keepAllThatReaches(await startAzure({ record: true, ...options }));
  return { azure, app: await startApp({ ...azure.env, ...env }) };
}

async function listening(child: ChildProcess, output: () => string): Promise<string> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    const [, url] = /listening on (http:\/\/\S+)/.exec(output()) ?? [];
    if (url) return url;
    if (child.exitCode !== null) throw new Error(`the app ended with ${child.exitCode}:\n${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill();
  throw new Error(`the app did not start:\n${output()}`);
}
