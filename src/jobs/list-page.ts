import { randomUUID } from 'node:crypto';
import { Problem } from '../http/problem.ts';
import type { JobRequest, PageStep } from './job.ts';
import { failed, MAX_DELIVERIES, MAX_TRIES, noImages, notFinished, type Outcome, FINISHED, retry } from './outcome.ts';
import type { Page } from './store.ts';
import { toProblem, type Work } from './work.ts';

/**
 * Lists a page of images and stores it. Then it sends a message for each image, and finally one for the next page.
 * This order matters: if this fails earlier and runs again, there is still only one message for the next page.
 */
export async function listPage(step: PageStep, request: JobRequest, work: Work): Promise<Outcome> {
  const { store } = work;
  const { job, page, traceparent } = step;
  if (!(await store.claim(step)).isOurs) return FINISHED;
  const listed =
    work.delivery.count >= MAX_DELIVERIES
      ? notFinished('page', MAX_DELIVERIES)
      : ((await store.page(job, page)) ?? (await find(step, request, work)));
  if (listed instanceof Problem) {
    if (listed.status >= 500 && step.tries + 1 < MAX_TRIES) return retry(step);
    await store.end(job, failed(listed, work));
    return FINISHED;
  }
  work.facts['listed'] = listed.blobs.length;
  const from = { job, page, tries: 0, resends: 0, crashes: 0, ...(traceparent ? { traceparent } : {}) };
  await store.sendAll(
    Array.from(listed.blobs.entries(), ([at, blob]) => ({ kind: 'image', at, blob, key: randomUUID(), ...from })),
  );
  const next = { ...step, page: page + 1, key: randomUUID(), tries: 0 };
  if (listed.next) await store.send(next, 0);
  return FINISHED;
}

/** Lists a page of the container and stores it. Returns a problem if the container cannot be listed. */
async function find({ job, page }: PageStep, request: JobRequest, work: Work): Promise<Page | Problem> {
  const { options, store } = work;
  const before = page === 0 ? undefined : await store.page(job, page - 1);
  // Without the previous page, the listing would start again at the first image.
  if (page > 0 && !before)
    return new Problem(
      'internal_error',
      'The previous page of the list of images is missing in the storage of jobs. Start the job again.',
    );
  let found: Page;
  try {
    found = await store.list(options.container(request.container), request.prefix, before?.next ?? undefined);
  } catch (error) {
    return toProblem(error, work);
  }
  const isEmptyEnd = found.blobs.length === 0 && found.next === null;
  return store.keepPage(job, page, found, isEmptyEnd ? noImages(request, work) : undefined);
}
