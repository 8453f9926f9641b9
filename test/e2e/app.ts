import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type EmulatedAzure, startAzure, type AzureOptions } from '../../src/dev/emulator/azure.ts';
import { expectNoneIn, keepAllThatReaches, keepKeys } from './secrets.ts';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
/** How the tests of this run serve the app: behind the local Functions host, or as the server that it is by itself. */
export const SERVED_BY = process.env['SERVED_BY'] === 'server' ? 'server' : 'functions';
const SERVE = fileURLToPath(new URL('../../src/dev/start/serve.ts', import.meta.url));

const { PATH, NODE_COMPILE_CACHE } = process.env;
/** What a process needs to run at all, and to start fast. */
const NEEDED = { PATH, NODE_COMPILE_CACHE };

/** The server does not start without being told who may call. */
const OPEN: Readonly<Record<string, string>> = SERVED_BY === 'server' ? { HTTP_AUTH_LEVEL: 'anonymous' } : {};

/** What starting may take when a dozen of them start at once on a busy machine. */
const START_MS = 60_000;

/** The built app in a process of its own, and all that it has printed. */
export interface App {
  readonly url: string;
  readonly pid: number;
  output(): string;
  /** Whether the process still lives. */
  alive(): boolean;
  /** Ends it, and throws where it has printed anything of what the tests of this file have shown to an app. */
  stop(): Promise<void>;
}

/**
 * Starts `dist/`, or another folder with a build in it, in the way of this run. The environment is `env` and what a process
 * needs to run at all, and it runs in that folder, so that nothing of the machine's own comes in.
 * @param launcher - a command that the process is started through
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
        // Unlike `exit`, it waits for the last words.
        await once(child, 'close');
      }
      expectNoneIn(output);
    },
  };
}

/** The built app and an emulated Azure of its own, which keeps what it is asked. */
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
