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

/** What a fault may take beyond the deadline: the host waits 5 s for a slow body, and the machine may be busy. */
const GRACE_MS = 5_000;
/** In it, the library's own retries of the identity endpoint come in time for the request after. */
const PATIENT = { REQUEST_TIMEOUT_SECONDS: '4' };
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
  const [usualOnes, target, wrong] = await Promise.all([
    startPairs(FULL ? 6 : 3),
    startPairs(FULL ? 4 : 2, PATIENT, { tokenSeconds: TOKEN_SECONDS }),
    startPairs(1, MISCONFIGURED),
  ]);
  started = [...usualOnes, ...target, ...wrong];
  // Otherwise a fault of the network would be one of the identity for the first of them.
  for (const scene of usualOnes) {
    for (const way of WAYS.slice(0, 1)) await expectNormal(scene, way, 0);
    scene.azure.reset();
  }
  [ordinary, tokenless, misconfigured] = [new Pairs(usualOnes), new Pairs(target), new Pairs(wrong)];
}, 120_000);
afterAll(async () => stopPairs(started));

const groups = [
  { what: 'the caller', faults: callerFaults, pairs: () => ordinary },
  { what: 'the model', faults: upstreamFaults, pairs: () => ordinary },
  { what: 'the model, in the midst of its answer', faults: midAnswerFaults, pairs: () => ordinary },
  { what: 'the network and the process', faults: networkFaults, pairs: () => ordinary },
  { what: 'the identity', faults: identityFaults, pairs: () => tokenless },
];

/** Every fault by ways of asking, those of each group spread over the whole, for most of the time is waiting. */
const table = groups
  .flatMap(({ what, faults, pairs }) =>
    cells(faults.filter(happensHere)).map((cell, at, { length }) =>
      Object.assign(cell, { what, pairs, place: at / length }),
    ),
  )
  .toSorted((a, b) => a.place - b.place);

describe.concurrent('a fault of', () => {
  test.for(table)(
    '$what: $fault.name: $way.name: $expected.status $expected.code after $expected.calls calls',
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

describe.concurrent('the settings', () => {
  const wrong: Fault = {
    name: 'wrong settings in Azure',
    expected: {
      status: 500,
      code: 'misconfigured',
      calls: 0,
      problem: { settings: ['AZURE_OPENAI_API_KEY', 'REQUEST_TIMEOUT_SECONDS'] },
    },
  };
  test.for(cells([wrong]))(
    '$fault.name: $way.name: $expected.status $expected.code',
    async ({ fault, way, expected }) => {
      await misconfigured.lend(async (scene) => {
        await expectOutcome(scene, fault, way, expected);
        expect((await fetch(`${scene.app.url}/api/health`)).status, 'the next request').toBe(200);
      });
    },
  );
});

test('the table is complete: every fault by every way that it can happen to, each once', () => {
  expect(new Set(table.map(({ what, fault, way }) => `${what}, ${fault.name}, ${way.name}`)).size).toBe(table.length);
  expect(new Set(table.map(({ way }) => way.name)).size).toBe(WAYS.length);
  const faults = groups.flatMap((group) => group.faults.filter(happensHere));
  expect(faults.length).toBeGreaterThan(FULL || SERVED_BY === 'functions' ? 100 : 30);
  expect(new Set(table.map(({ what, fault }) => `${what}, ${fault.name}`)).size).toBe(faults.length);
});

test('nothing in it was a surprise to the app, and all processes live', () => {
  for (const { app } of started) {
    expect(app.alive()).toBe(true);
    const surprises = app.output().match(/^.*(?:failed unexpectedly|unhandled_rejection)(?:.*\n){1,6}/gm);
    expect(surprises).toBeNull();
  }
});

/** The app is the same behind both front doors: behind the second, a third of the faults happens, and all in the full run. */
function happensHere(_fault: Fault, at: number): boolean {
  return FULL || SERVED_BY === 'functions' || at % 3 === 0;
}

/**
 * Each fault happens to one way of asking, another from fault to fault. In the full run it happens to all of them, but for
 * those behind the second front door.
 */
function waysOf({ name }: Fault, ways: readonly Way[]): readonly Way[] {
  return FULL && SERVED_BY === 'functions' ? ways : ways.slice(name.length % ways.length).slice(0, 1);
}

function cells(faults: readonly Fault[]): { fault: Fault; way: Way; expected: Expected }[] {
  return faults.flatMap((fault) => {
    const { happensTo = () => true, expected } = fault;
    return waysOf(fault, WAYS.filter(happensTo)).map((way) => ({
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
  const asked = performance.now();
  const { status, code, problem, headers } = await send(scene, sent);
  expect(performance.now() - asked).toBeLessThan(DEADLINE_MS + GRACE_MS);
  expect({
    status,
    code,
    calls: scene.azure.model.requests.length,
    problem,
    headers: Object.fromEntries(headers),
  }).toMatchObject(expected);
  if (problem['code']) expect(problem['requestId']).toBe(headers.get('x-request-id'));
}

async function expectNormal(scene: Scene, way: Way, patienceMs: number): Promise<void> {
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    const outcome = await atOnce(scene, await way.put(usual));
    if (outcome.status === 503 && performance.now() < giveUp) continue;
    expect(outcome, 'the next request').toMatchObject({ status: 200, code: 'answer' });
    return;
  }
}
