import * as v from 'valibot';
import { Deadline } from '../http/deadline.ts';
import { Stopwatch } from '../http/stopwatch.ts';
import { askAboutImage, keep } from './ask-image.ts';
import { JobMessage, type JobRequest, type JobStep } from './job.ts';
import { listPage } from './list-page.ts';
import { awaitStorage, failed, MAX_TRIES, type Outcome, FINISHED, retry, unanswered } from './outcome.ts';
import { Pauses, Places } from './places.ts';
import { type Delivery, type Stages, toProblem, type Work, type WorkerOptions } from './work.ts';

/**
 * How many images are in memory for each one that the model is asked about. The next images are claimed and read in the
 * meantime. That takes about a third of the time that a fast model needs to answer.
 */
const READ_AHEAD = 1.5;

/**
 * Works on the messages of jobs. If an image fails, this writes the failure as its result, or sends a new message for
 * later. It throws only if neither is possible, and then the host delivers the old message again.
 */
export class JobWorker {
  readonly #options: WorkerOptions;
  readonly #stages: Stages;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { concurrency } = options;
    const pauses = new Pauses();
    const inMemory = new Places(Math.ceil(concurrency * READ_AHEAD), pauses);
    this.#stages = { pauses, inMemory, asked: new Places(concurrency, pauses) };
  }

  /**
   * Does the step in a message.
   * @throws if the message is not a job message, or its outcome could not be written
   */
  readonly work = async (delivery: Delivery): Promise<void> => {
    const { success, output } = v.safeParse(JobMessage, delivery.message);
    if (!success) throw new Error('this is not a job message');
    const { step } = output;
    const options = this.#options;
    const { limits } = options;
    const finish = options.inFlight.begin();
    const [deadline, end] = [new Deadline(limits.answerMs), new Deadline(limits.answerMs + limits.keepMs)];
    const [store, stopwatch, facts] = [options.store(end), new Stopwatch(), { job: step.job }];
    const work: Work = { options, stages: this.#stages, delivery, deadline, end, store, stopwatch, facts };
    try {
      const outcome = await doStep(step, work);
      if ('again' in outcome) {
        if (step.kind === 'image') work.facts['outcome'] = 'postponed';
        await sendAgain(outcome.again, outcome.seconds, options);
      }
    } finally {
      deadline.clear();
      end.clear();
      report(step, work);
      finish();
    }
  };
}

async function doStep(step: JobStep, work: Work): Promise<Outcome> {
  let request: JobRequest | undefined;
  try {
    const known = await work.store.find(step.job);
    if (!known || known.isOver) return FINISHED;
    ({ request } = known);
    return await (step.kind === 'page' ? listPage(step, request, work) : askAboutImage(step, request, work));
  } catch (error) {
    return afterFault(step, request, error, work);
  }
}

/**
 * Decides what follows from an error. The step waits for the storage of jobs as long as necessary. Any other error may
 * be permanent, so it counts as a try. After the last try, it becomes the result of the image, or the job fails.
 */
async function afterFault(
  step: JobStep,
  request: JobRequest | undefined,
  error: unknown,
  work: Work,
): Promise<Outcome> {
  const problem = toProblem(error, work);
  const later = awaitStorage(step, problem);
  if (later) return later;
  if (step.tries + 1 < MAX_TRIES) return retry(step);
  try {
    if (step.kind === 'image' && request) await keep(step, unanswered(step, request, problem, work), work);
    else await work.store.end(step.job, failed(problem, work));
    return FINISHED;
  } catch (again) {
    const wait = awaitStorage(step, toProblem(again, work));
    if (wait) return wait;
    throw again;
  }
}

/**
 * Sends a message for a step again. This has its own time limit.
 * @throws {Problem} if the queue does not accept the message in time
 */
async function sendAgain(step: JobStep, seconds: number, { store, limits }: WorkerOptions): Promise<void> {
  const deadline = new Deadline(limits.sendMs);
  // Spread the delays, so that images that were postponed together do not come back together.
  const delay = Math.round(seconds * (1 + Math.random() / 4));
  await store(deadline)
    .send(step, delay)
    .finally(() => deadline.clear());
}

/** Logs one line for each message. It contains no content of questions or answers, and no names of blobs. */
function report(step: JobStep, { options, delivery, stopwatch, facts }: Work): void {
  const { log, invocationId: requestId } = delivery;
  log('info', JSON.stringify({ requestId, ...facts, ms: stopwatch.durations() }));
  const { laps, start } = stopwatch;
  options.observe?.({
    name: step.kind === 'page' ? 'listJobImages' : 'askJobImage',
    requestId,
    trace: step.traceparent ? { traceparent: step.traceparent } : {},
    status: undefined,
    streamed: false,
    facts,
    laps,
    start,
    end: stopwatch.now(),
  });
}
