import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { TEMPORARY } from './build-sides.ts';
import { bytesOf, percentile } from './load.ts';
import { photoOf } from './photo.ts';
import type { Plan } from './plan.ts';
import { post } from './post.ts';
import { RunningSide } from './side.ts';
import type { Upstream } from './upstream.ts';

const IMAGE = { megabytes: 0.1 };
/** Wait from the moment when the process listens to the later request. */
const LATER_MS = 500;

/** The built app, the same app with its packages not bundled, and two minimal apps to compare with. */
const FORMS = [
  { name: 'this project', app: 'this project' },
  { name: 'unbundled', app: 'unbundled' },
  { name: 'floor', app: 'floor' },
  { name: 'empty app', app: 'empty' },
] as const;

/** Medians of all starts of one form, in milliseconds. */
export interface ColdStart {
  readonly form: (typeof FORMS)[number]['name'];
  /** From the start of the app's import until its functions are registered. */
  readonly registrationMs: number;
  /** From the start of the import to the first answer. Its request is sent as soon as the process listens. */
  readonly firstAnswerMs: number;
  /** From the start of the process to the same answer. This includes the start of Node. */
  readonly processToAnswerMs: number;
  /** From request to answer, if the first request is sent half a second after the process listens. */
  readonly laterAnswerMs: number;
}

interface Start {
  readonly registrationMs: number;
  readonly firstAnswerMs: number;
  readonly processToAnswerMs: number;
}

/** Starts the forms in turns, and each one twice per round: for an immediate request and for a later one. */
export async function measureColdStarts(upstream: Upstream, { coldStarts }: Plan): Promise<ColdStart[]> {
  const starts = FORMS.map((form) => ({ form, atOnce: new Array<Start>(), later: new Array<number>() }));
  for (let round = 0; round < coldStarts; round++) {
    for (const { form, atOnce, later } of starts) {
      atOnce.push((await start(form.app, upstream, 0)).start);
      later.push((await start(form.app, upstream, LATER_MS)).answerMs);
    }
  }
  return starts.map(({ form, atOnce, later }) => ({
    form: form.name,
    registrationMs: median(atOnce.map(({ registrationMs }) => registrationMs)),
    firstAnswerMs: median(atOnce.map(({ firstAnswerMs }) => firstAnswerMs)),
    processToAnswerMs: median(atOnce.map(({ processToAnswerMs }) => processToAnswerMs)),
    laterAnswerMs: median(later),
  }));
}

async function start(app: string, upstream: Upstream, waitMs: number): Promise<{ start: Start; answerMs: number }> {
  const image = photoOf(bytesOf(IMAGE));
  const agent = new Agent();
  const starting = now();
  const running = await RunningSide.start(app, {
    ...upstream.env(),
    TMPDIR: TEMPORARY,
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

/** Milliseconds since 1970, with fractions: a clock that this process shares with the measured one. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
