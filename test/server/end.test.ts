import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { still } from '../images/still.ts';
import { FULL } from '../tier.ts';
import { serve } from './serve.ts';

const image = await still('image/png', 16, 16);
const CALLERS = 16;
/** In the full run, there are enough rounds to end the server at every stage of a request. */
const ROUNDS = FULL ? 20 : 4;
/** How many rounds run at the same time. Most of a round is waiting. */
const CONCURRENT_ROUNDS = 4;

let azure: EmulatedAzure;
beforeAll(async () => (azure = await startAzure({ answerDelayMs: 60, record: true })));
afterAll(() => azure.close());

/** Sends a request. Returns the status of its answer, or the code of the error that prevented an answer. */
async function ask(url: string, agent: Agent): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(`${url}/api/processImage?instructions=x`, { method: 'POST', agent }, (answer) => {
      answer
        .resume()
        .once('end', () => resolve(answer.statusCode ?? 0))
        .once('error', () => resolve('broken off'));
    });
    asked.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) =>
      // The operating system completes a connection before the server accepts it. It resets those that it completes
      // between the server's last accept and the moment when the server stops listening. No request was read on them,
      // so the client may send it again. No program can avoid that. In a cluster, the load balancer sends no more
      // connections by then, because of preStop.
      resolve(code === 'ECONNRESET' && !asked.reusedSocket ? 'ECONNREFUSED' : code),
    );
    asked.end(image);
  });
}

test('on SIGTERM under load, every request is answered or its connection refused, and the exit code is 0', async () => {
  const runEvery = async (_: unknown, first: number): Promise<void> => {
    for (let round = first; round < ROUNDS; round += CONCURRENT_ROUNDS) await terminateUnderLoad(round);
  };
  await Promise.all(Array.from({ length: CONCURRENT_ROUNDS }, runEvery));
}, 240_000);

async function terminateUnderLoad(round: number): Promise<void> {
  const server = await serve({ ...azure.env, HTTP_AUTH_LEVEL: 'anonymous' });
  // Half of the callers keep their connection open, the others open a new one for each request.
  const outcomes = new Map<number | string, number>();
  const callers = Array.from({ length: CALLERS }, async (__, at) => {
    const agent = new Agent({ keepAlive: at % 2 === 0 });
    for (let outcome: number | string = 200; outcome === 200;) {
      outcome = await ask(server.url, agent);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    agent.destroy();
  });
  while (!((outcomes.get(200) ?? 0) >= CALLERS)) await sleep(10);
  await sleep((round * 140) / ROUNDS);
  const started = performance.now();
  server.terminate();
  const [code] = await Promise.all([server.ended, ...callers]);
  expect(code).toBe(0);
  expect(performance.now() - started).toBeLessThan(25_000);
  expect(new Set(outcomes.keys())).toEqual(new Set([200, 'ECONNREFUSED']));
  // Every request that the server has read was answered with 200, and the answer arrived.
  expect(server.output().match(/"status":\d+/g)).toEqual(
    Array.from({ length: outcomes.get(200) ?? 0 }, () => '"status":200'),
  );
}

test('on SIGTERM, fails readiness probes, answers a request in progress, and cuts off one that never ends', async () => {
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
  expect(await probeAll(), 'on open connections; the liveness probe still succeeds').toEqual([503, 503, 200]);
  expect(await probeAll(), 'on new connections').toEqual(PROBES.map(() => 'ECONNREFUSED'));
  expect(await slow).toBe(200);
  expect(await silent, 'cut off').toBe('ECONNREFUSED');
  expect(await server.ended).toBe(0);
});
