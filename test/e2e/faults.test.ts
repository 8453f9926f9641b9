import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { still } from '../images/still.ts';
import { FULL } from '../tier.ts';
import { SERVED_BY } from './app.ts';
import { callerFaults } from './faults/caller.ts';
import type { Expected, Fault, Scene } from './faults/fault.ts';
import { identityFaults, TOKEN_SECONDS } from './faults/identity.ts';
import { midAnswerFaults } from './faults/mid-answer.ts';
import { networkFaults } from './faults/network.ts';
import { DEADLINE_MS, Pairs, startPairs, stopPairs } from './faults/pairs.ts';
import { atOnce } from './faults/send.ts';
import { upstreamFaults } from './faults/upstream.ts';
import { keepSecret } from './secrets.ts';
import { type Question, WAYS, type Way } from './faults/way.ts';

/** Time allowed beyond the deadline: the host waits 5 s for a slow body, and the machine may be busy. */
const GRACE_MS = 5_000;
/** Long enough for the identity library's own retries, so that the request after the fault succeeds. */
const LONGER_DEADLINE = { REQUEST_TIMEOUT_SECONDS: '4' };
const MISCONFIGURED = {
  WEBSITE_SITE_NAME: 'my-app',
  AZURE_OPENAI_API_KEY: 'a-forgotten-key',
  REQUEST_TIMEOUT_SECONDS: 'soon',
};

const usual: Question = {
  images: [await still('image/png', 16, 16)],
  fields: { instructions: 'What is in this picture?' },
};

let started: Scene[] = [];
let ordinary: Pairs;
let tokenless: Pairs;
let misconfigured: Pairs;
beforeAll(async () => {
  const [ordinaryScenes, tokenlessScenes, misconfiguredScenes] = await Promise.all([
    startPairs(FULL ? 6 : 3),
    startPairs(FULL ? 4 : 2, LONGER_DEADLINE, { tokenSeconds: TOKEN_SECONDS }),
    startPairs(1, MISCONFIGURED),
  ]);
  started = [...ordinaryScenes, ...tokenlessScenes, ...misconfiguredScenes];
  // Make the app get its token now. Otherwise the first network fault would affect the request for the token.
  for (const scene of ordinaryScenes) {
    for (const way of WAYS.slice(0, 1)) await expectNormal(scene, way, 0);
    scene.azure.reset();
  }
  ordinary = new Pairs(ordinaryScenes);
  tokenless = new Pairs(tokenlessScenes);
  misconfigured = new Pairs(misconfiguredScenes);
}, 120_000);
afterAll(async () => stopPairs(started));

const groups = [
  { what: 'client', faults: callerFaults, pairs: () => ordinary },
  { what: 'model', faults: upstreamFaults, pairs: () => ordinary },
  { what: 'model, during its answer', faults: midAnswerFaults, pairs: () => ordinary },
  { what: 'network and process', faults: networkFaults, pairs: () => ordinary },
  { what: 'identity', faults: identityFaults, pairs: () => tokenless },
];

/**
 * Every fault with every way of asking that it is tried with. The groups are mixed, so that tests with different pairs
 * run at the same time: most of them only wait.
 */
const table = groups
  .flatMap(({ what, faults, pairs }) =>
    rowsOf(faults.filter(isTried)).map((row, at, { length }) =>
      Object.assign(row, { what, pairs, position: at / length }),
    ),
  )
  .toSorted((a, b) => a.position - b.position);

describe.concurrent('a fault', () => {
  test.for(table)(
    '$what: $fault.name ($way.name): $expected.status $expected.code, $expected.calls model calls',
    async ({ fault, way, expected, pairs }) => {
      await pairs().lend(async (scene) => {
        try {
          await expectOutcome(scene, fault, way, expected);
        } finally {
          scene.azure.reset();
          scene.relay.mend();
        }
        await expectNormal(scene, way, fault.recoversWithinMs ?? 0);
        scene.azure.reset();
      });
    },
  );
});

describe.concurrent('an app with invalid settings', () => {
  const wrong: Fault = {
    name: 'wrong settings in Azure',
    expected: {
      status: 500,
      code: 'misconfigured',
      calls: 0,
      problem: { settings: ['AZURE_OPENAI_API_KEY', 'REQUEST_TIMEOUT_SECONDS'] },
    },
  };
  test.for(rowsOf([wrong]))(
    '$way.name: answers $expected.status $expected.code, and health answers 200',
    async ({ fault, way, expected }) => {
      await misconfigured.lend(async (scene) => {
        await expectOutcome(scene, fault, way, expected);
        expect((await fetch(`${scene.app.url}/api/health`)).status, 'the next request').toBe(200);
      });
    },
  );
});

test('the table contains every fault and every way of asking, and no row twice', () => {
  expect(new Set(table.map(({ what, fault, way }) => `${what}, ${fault.name}, ${way.name}`)).size).toBe(table.length);
  expect(new Set(table.map(({ way }) => way.name)).size).toBe(WAYS.length);
  const faults = groups.flatMap((group) => group.faults.filter(isTried));
  expect(faults.length).toBeGreaterThan(FULL || SERVED_BY === 'functions' ? 100 : 30);
  expect(new Set(table.map(({ what, fault }) => `${what}, ${fault.name}`)).size).toBe(faults.length);
});

test('no fault causes an unexpected error or an unhandled rejection, and every app is still running', () => {
  for (const { app } of started) {
    expect(app.alive()).toBe(true);
    const unexpected = app.output().match(/^.*(?:failed unexpectedly|unhandled_rejection)(?:.*\n){1,6}/gm);
    expect(unexpected).toBeNull();
  }
});

/** Whether this run tries a fault. As a server, the quick run tries a third, because the app is the same. */
function isTried(_fault: Fault, at: number): boolean {
  return FULL || SERVED_BY === 'functions' || at % 3 === 0;
}

/**
 * Returns the ways of asking that a fault is tried with: all in the full run behind the Functions host, otherwise one,
 * in turn.
 * @param at - the index of the fault among those that are tried
 */
function waysOf(at: number, ways: readonly Way[]): readonly Way[] {
  return FULL && SERVED_BY === 'functions' ? ways : ways.slice(at % ways.length).slice(0, 1);
}

function rowsOf(faults: readonly Fault[]): { fault: Fault; way: Way; expected: Expected }[] {
  return faults.flatMap((fault, at) => {
    const { happensTo = () => true, expected } = fault;
    return waysOf(at, WAYS.filter(happensTo)).map((way) => ({
      fault,
      way,
      expected: typeof expected === 'function' ? expected(way) : expected,
    }));
  });
}

async function expectOutcome(
  scene: Scene,
  { before, ask = (it) => it, alter = (sent) => sent, send = atOnce }: Fault,
  way: Way,
  expected: Expected,
): Promise<void> {
  await before?.(scene);
  const question = ask(usual);
  for (const image of question.images) keepSecret('image', image);
  const sent = alter(await way.put(question));
  const sentAt = performance.now();
  const { status, code, problem, headers } = await send(scene, sent);
  expect(performance.now() - sentAt).toBeLessThan(DEADLINE_MS + GRACE_MS);
  expect({
    status,
    code,
    calls: scene.azure.model.requests.length,
    problem,
    headers: Object.fromEntries(headers),
  }).toMatchObject(expected);
  if (problem['code']) expect(problem['requestId']).toBe(headers.get('x-request-id'));
}

async function expectNormal(scene: Scene, way: Way, recoversWithinMs: number): Promise<void> {
  const deadline = performance.now() + recoversWithinMs;
  for (;;) {
    const outcome = await atOnce(scene, await way.put(usual));
    if (outcome.status === 503 && performance.now() < deadline) continue;
    expect(outcome, 'the next request').toMatchObject({ status: 200, code: 'answer' });
    return;
  }
}
