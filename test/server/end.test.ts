import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { still } from '../images/still.ts';
import { FULL } from '../tier.ts';
import { serve } from './serve.ts';

const image = await still('image/png', 16, 16);
const CALLERS = 16;
/** In the full run enough to meet the server at every stage of a request. */
const ROUNDS = FULL ? 20 : 4;
/** So many of them at once: most of a round is waiting. */
const LANES = 4;

let azure: EmulatedAzure;
beforeAll(async () => (azure = await startAzure({ answerDelayMs: 60, record: true })));
afterAll(() => azure.close());

/** A request's status, or the code of what kept it from being sent or answered. */
async function ask(url: string, agent: Agent): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(`${url}/api/processImage?instructions=x`, { method: 'POST', agent }, (answer) => {
      answer
        .resume()
        .once('end', () => resolve(answer.statusCode ?? 0))
        .once('error', () => resolve('broken off'));
    });
    asked.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) =>
      // The system completes a connection before the server takes it. Those that it completes between the last time that the
      // server takes one and the moment that it stops listening are reset by the system: no request was read, so the client
      // may send it again. No program can avoid that. In a cluster, preStop keeps the balancer from sending any by then.
      resolve(code === 'ECONNRESET' && !asked.reusedSocket ? 'ECONNREFUSED' : code),
    );
    asked.end(image);
  });
}

test('SIGTERM under load, time after time: every request is answered or its connection refused, and the exit code is 0', async () => {
  const lane = async (_: unknown, first: number): Promise<void> => {
    for (let round = first; round < ROUNDS; round += LANES) await terminateUnderLoad(round);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}, 240_000);

async function terminateUnderLoad(round: number): Promise<void> {
  const server = await serve({ ...azure.env, HTTP_AUTH_LEVEL: 'anonymous' });
  // Half of the callers keep their connection, the others open one for each request.
  const seen = new Map<number | string, number>();
  const callers = Array.from({ length: CALLERS }, async (__, at) => {
    const agent = new Agent({ keepAlive: at % 2 === 0 });
    for (let outcome: number | string = 200; outcome === 200;) {
      outcome = await ask(server.url, agent);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }
    agent.destroy();
  });
  while (!((seen.get(200) ?? 0) >= CALLERS)) await sleep(10);
  await sleep((round * 140) / ROUNDS);
  const started = performance.now();
  server.terminate();
  const [code] = await Promise.all([server.ended, ...callers]);
  expect(code).toBe(0);
  expect(performance.now() - started).toBeLessThan(25_000);
  expect(new Set(seen.keys())).toEqual(new Set([200, 'ECONNREFUSED']));
  // Whatever the server took was answered, and the answer arrived.
  expect(server.output().match(/"status":\d+/g)).toEqual(
    Array.from({ length: seen.get(200) ?? 0 }, () => '"status":200'),
  );
}

test('SIGTERM: the request in hand is answered, the probes say 503 meanwhile, and one that takes too long is ended', async () => {
  const server = await serve({ ...azure.env, HTTP_AUTH_LEVEL: 'anonymous', DRAIN_SECONDS: '3' });
  const probe = async (path: string, agent: Agent): Promise<number | string> =>
    new Promise((resolve) => {
      request(`${server.url}/${path}`, { agent }, (answer) =>
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0)),
      )
        .once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
        .end();
    });
  const PROBES = ['readyz', 'api/health/ready', 'api/health'];
  const open = PROBES.map((path) => ({ path, agent: new Agent({ keepAlive: true }) }));
  const probeAll = async (): Promise<(number | string)[]> =>
    Promise.all(open.map(async ({ path, agent }) => probe(path, agent)));
  expect(await probeAll()).toEqual([200, 200, 200]);
  azure.model.fail({ delayMs: 1_500 });
  azure.model.requests.length = 0;
  const slow = ask(server.url, new Agent());
  while (azure.model.requests.length < 1) await sleep(10);
  azure.model.fail({ silent: true });
  const silent = ask(server.url, new Agent());
  while (azure.model.requests.length < 2) await sleep(10);
  server.terminate();
  await sleep(100);
  expect(await probeAll(), 'on connections that are open; the process is alive').toEqual([503, 503, 200]);
  expect(await probeAll(), 'on new ones').toEqual(PROBES.map(() => 'ECONNREFUSED'));
  expect(await slow).toBe(200);
  expect(await silent, 'cut off').toBe('ECONNREFUSED');
  expect(await server.ended).toBe(0);
});
