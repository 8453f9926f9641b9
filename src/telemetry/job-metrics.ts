import type { Counter, Meter } from '@opentelemetry/api';
import type { AnsweredRequest } from '../http/create-handler.ts';

/** How many images of jobs were answered, failed, or were put off. An image that is put off counts each time. */
export class JobMetrics {
  readonly #images: Counter;

  constructor(meter: Meter) {
    this.#images = meter.createCounter('keyless_vision.job.images', {
      description: 'Images of jobs by what became of them.',
      unit: '{image}',
    });
  }

  record({ facts: { outcome, code } }: AnsweredRequest): void {
    if (typeof outcome !== 'string') return;
    this.#images.add(1, { outcome, ...(typeof code === 'string' ? { 'error.type': code } : {}) });
  }
}
