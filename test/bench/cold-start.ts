import { mkdtemp } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TEMPORARY } from './build-sides.ts';
import { bytesOf, percentile } from './load.ts';
import { photoOf } from './photo.ts';
import type { Plan } from './plan.ts';
import { post } from './post.ts';
import { RunningSide } from './side.ts';
import type { Upstream } from './upstream.ts';

const IMAGE = { megabytes: 0.1 };
const LATER_MS = 500;

/** Where Node's compile cache goes is up to TMPDIR: a new one is a machine that has never run the app. */
const FORMS = [
  { name: 'this project', app: 'this project', cached: false },
  { name: 'this project, third start on a machine', app: 'this project', cached: true },
  { name: 'unbundled, lazy imports kept', app: 'unbundled, lazy', cached: false },
  { name: 'unbundled, all imported at the start', app: 'unbundled', cached: false },
  { name: 'floor', app: 'floor', cached: false },
  { name: 'empty app', app: 'empty', cached: false },
] as const;

/** Medians, in milliseconds. */
export interface ColdStart {
  readonly form: (typeof FORMS)[number]['name'];
  /** From the first import of the app to its functions being registered. */
  readonly registrationMs: number;
  /** From the same moment to the answer to a caller who has been waiting. */
  readonly firstAnswerMs: number;
  /** That, and the start of Node and of the host. */
  readonly processToAnswerMs: number;
  /** The same as a multiple of what the empty app took in the same round, so that a slow minute of the machine counts for both. */
  readonly timesEmpty: number;
  /** What the first caller waits who comes half a second later. */
  readonly laterAnswerMs: number;
}

interface Start {
  readonly registrationMs: number;
  readonly firstAnswerMs: number;
  readonly processToAnswerMs: number;
}

/** Starts every form again and again, in turns. */
export async function measureColdStarts(upstream: Upstream, { coldStarts }: Plan): Promise<ColdStart[]> {
  const starts = FORMS.map((form) => ({ form, atOnce: new Array<Start>(), later: new Array<number>() }));
  const cacheDir = await mkdtemp(join(TEMPORARY, 'cache-'));
  // The second start is the first to keep what it compiles: src/compile-cache.ts.
  for (let before = 0; before < 2; before++) await start('this project', upstream, cacheDir, LATER_MS);
  for (let round = 0; round < coldStarts; round++) {
    for (const { form, atOnce, later } of starts) {
      const dir = async (): Promise<string> => (form.cached ? cacheDir : mkdtemp(join(TEMPORARY, 'new-')));
      atOnce.push((await start(form.app, upstream, await dir(), 0)).start);
      later.push((await start(form.app, upstream, await dir(), LATER_MS)).answerMs);
    }
  }
  const empty = starts.find(({ form }) => form.app === 'empty');
  return starts.map(({ form, atOnce, later }) => ({
    form: form.name,
    registrationMs: median(atOnce.map(({ registrationMs }) => registrationMs)),
    firstAnswerMs: median(atOnce.map(({ firstAnswerMs }) => firstAnswerMs)),
    processToAnswerMs: median(atOnce.map(({ processToAnswerMs }) => processToAnswerMs)),
    timesEmpty: median(
      atOnce.map(
        ({ processToAnswerMs }, round) => processToAnswerMs / (empty?.atOnce[round]?.processToAnswerMs ?? NaN),
      ),
    ),
    laterAnswerMs: median(later),
  }));
}

async function start(
  app: string,
  upstream: Upstream,
  tmpdir: string,
  waitMs: number,
): Promise<{ start: Start; answerMs: number }> {
  const image = photoOf(bytesOf(IMAGE));
  const agent = new Agent();
  const starting = now();
  const running = await RunningSide.start(app, {
    ...upstream.env(),
    TMPDIR: tmpdir,
    READY_MADE_FOR: String(image.length),
  });
  try {
    await sleep(waitMs);
    const { result, milliseconds } = await post(running.target(image), agent);
    const answered = now();
    if (result !== '200') throw new Error(`The first answer of ${app} was ${result}:\n${running.output}`);
    const { registrationMs, importing } = running;
    return {
      start: { registrationMs, firstAnswerMs: answered - importing, processToAnswerMs: answered - starting },
      answerMs: milliseconds,
    };
  } finally {
    await running.stop();
    agent.destroy();
  }
}

function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

/** Milliseconds on the clock that all processes of the machine share. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
