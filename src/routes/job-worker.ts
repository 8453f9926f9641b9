import { Model } from '../azure/model.ts';
import { JOBS } from '../config/storage.ts';
import { once } from '../config/once.ts';
import type { HandlerOptions } from '../http/create-handler.ts';
import type { Delivery } from '../jobs/work.ts';
import type { JobWorker } from '../jobs/worker.ts';
import { prefixPlace } from '../storage/blob-url.ts';
import { askAtTier } from '../vision/ask.ts';
import { toVisionRequest } from './process-image.ts';
import type { Service } from './service.ts';

/**
 * Creates what works on the messages of jobs: the queue's name and a function for each message. The code of jobs is
 * loaded at the first message. Returns undefined if this process does not work on jobs.
 */
export function jobWorker(
  service: Service,
  { inFlight, observe }: Pick<HandlerOptions, 'inFlight' | 'observe'>,
): { readonly queue: string; readonly work: (delivery: Delivery) => Promise<void> } | undefined {
  const { settings, tokens, admission, imageReader, storage } = service;
  const { jobs, maxImageBytes } = settings;
  if (!jobs?.isWorker) return undefined;

  const load = once(async (): Promise<JobWorker> => {
    const [{ JobStore }, { LIMITS }, { JobWorker: Worker }] = await Promise.all([
      import('../jobs/store.ts'),
      import('../jobs/work.ts'),
      import('../jobs/worker.ts'),
    ]);
    const account = await storage();
    // No retries here: an image that the model refuses is postponed, so that it does not block another while it waits.
    const model = new Model({ ...settings, upstreamMaxRetries: 0, requestTimeoutMs: LIMITS.answerMs }, tokens);
    return new Worker({
      store: (deadline) => new JobStore(account, jobs, deadline),
      // Check the container again: the setting may have changed, and others may write to the storage of jobs.
      container: (url) => account.container(prefixPlace(url, settings.imageContainers).container),
      prepare: async (bytes, question, caller) => {
        const readImage = imageReader.forRequest(caller);
        const vision = await toVisionRequest(question, [bytes], readImage, { options: settings, plainText: false });
        return async (serviceTier) => askAtTier(model, vision, serviceTier, caller);
      },
      admission,
      inFlight,
      maxImageBytes,
      concurrency: jobs.concurrency,
      limits: LIMITS,
      observe,
    });
  });
  return { queue: JOBS, work: async (delivery) => (await load()).work(delivery) };
}
