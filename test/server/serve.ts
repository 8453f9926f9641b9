import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));

/** A process that runs `dist/server.js`. */
export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  output(): string;
  /** Sends SIGTERM. */
  terminate(): void;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

/**
 * Starts `dist/server.js` on a free port, with only these environment variables.
 * @throws {Error} with the output of the process if the server does not start
 */
export async function serve(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['server.js'], {
    cwd: DIST,
    env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  let output = '';
  let listening: (url: string) => void = () => {};
  const url = new Promise<string>((resolve) => (listening = resolve));
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const [, address] = /listening on (http:\/\/\S+)/.exec(output) ?? [];
      if (address) listening(address);
    });
  }
  const failed = ended.then(() => {
    throw new Error(output);
  });
  const address = await Promise.race([url, failed]);
  failed.catch(() => {});
  return {
    url: address,
    port: Number(new URL(address).port),
    output: () => output,
    terminate: () => void child.kill('SIGTERM'),
    ended,
  };
}

/** Stops a server, and waits until its process has ended. */
export async function end(server: ServerProcess): Promise<void> {
  server.terminate();
  await server.ended;
}
