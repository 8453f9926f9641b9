import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { listen } from '../../src/dev/start/listen.ts';
import { builtDir, TEMPORARY } from './build-sides.ts';
import { Child } from './child.ts';
import { Measured } from './measured.ts';
import type { Target } from './post.ts';
import type { Upstream } from './upstream.ts';

const PRELOAD = fileURLToPath(new URL('preload.ts', import.meta.url));
/** A program that does not listen after this time fails the run. */
const START_MS = 30_000;
const POLL_MS = 50;

/** Programs that users start by themselves: two that serve this project, the minimum, and a gateway that forwards. */
export const WAYS = ['server', 'npm start', 'floor', '@portkey-ai/gateway'] as const;
export type Way = (typeof WAYS)[number];

const PROGRAMS: Readonly<Record<Way, (port: number) => { module: string; args: readonly string[] }>> = {
  server: () => ({ module: '../../dist/server.js', args: [] }),
  'npm start': () => ({ module: '../../src/dev/start/serve.ts', args: [builtDir('this project')] }),
  floor: () => ({ module: 'sides/floor-server.ts', args: [] }),
  '@portkey-ai/gateway': (port) => ({
    module: '../../node_modules/@portkey-ai/gateway/build/start-server.js',
    args: ['--headless', `--port=${port}`],
  }),
};

/** One of the {@link WAYS}, listening in a process that measures itself. */
export class RunningWay extends Measured {
  readonly way: Way;

  private constructor(child: Child, url: string, way: Way) {
    super(child, url);
    this.way = way;
  }

  static async start(way: Way, env: Readonly<Record<string, string>>): Promise<RunningWay> {
    const port = await freePort();
    const { module, args } = PROGRAMS[way](port);
    const all = { ...env, PORT: String(port), HTTP_AUTH_LEVEL: 'anonymous', TMPDIR: TEMPORARY, NODE_ENV: 'production' };
    // Not in the repository's folder, because npm start reads the settings of the current folder.
    const child = new Child(module, args, all, { execArgv: ['--import', PRELOAD], cwd: TEMPORARY });
    await child.next(v.literal(true));
    await listening(port, child);
    return new RunningWay(child, `http://127.0.0.1:${port}`, way);
  }

  /** A chat completion request with an image. The gateway forwards it. The others make their own request from it. */
  chatTarget(image: Buffer, upstream: Upstream): Target {
    const target = this.openAiTarget('chat/completions', image);
    if (this.way !== '@portkey-ai/gateway') return target;
    const headers = {
      ...target.headers,
      authorization: 'Bearer any',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': upstream.openAiUrl,
    };
    return { ...target, url: `${this.url}/v1/chat/completions`, headers };
  }
}

/** Returns the same request with a Content-Length, as most clients send it. */
export function withLength(target: Target): Target {
  return { ...target, headers: { ...target.headers, 'content-length': String(target.body.length) } };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number, child: Child): Promise<void> {
  const started = performance.now();
  while (!(await connects(port))) {
    if (!child.alive || performance.now() - started > START_MS)
      throw new Error(`A program of the benchmark does not listen on its port:\n${child.output}`);
    await sleep(POLL_MS);
  }
}

async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).then((connected) => {
    socket.destroy();
    return connected === true;
  });
}
