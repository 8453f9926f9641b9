import type { Counter, Histogram, Meter } from '@opentelemetry/api';
import type { Chat } from './gen-ai.ts';
import type { AnsweredRequest } from '../http/create-handler.ts';

/** Bucket boundaries from https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ */
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];
const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/** Records the tokens and the duration of each question, by deployment, model and outcome. */
export class GenAiMetrics {
  readonly #tokens: Histogram;
  readonly #duration: Histogram;

  constructor(meter: Meter) {
    this.#tokens = meter.createHistogram('gen_ai.client.token.usage', {
      description: 'Number of input and output tokens used.',
      unit: '{token}',
      advice: { explicitBucketBoundaries: TOKENS },
    });
    this.#duration = meter.createHistogram('gen_ai.client.operation.duration', {
      description: 'GenAI operation duration.',
      unit: 's',
      advice: { explicitBucketBoundaries: SECONDS },
    });
  }

  record(chats: readonly Chat[]): void {
    for (const { attributes, usage, start, end } of chats) {
      this.#duration.record((end - start) / 1000, attributes);
      // No input tokens means that the count is unknown: usage is zero if a gateway leaves it out.
      if (!usage?.inputTokens) continue;
      this.#tokens.record(usage.inputTokens, { ...attributes, 'gen_ai.token.type': 'input' });
      this.#tokens.record(usage.outputTokens, { ...attributes, 'gen_ai.token.type': 'output' });
    }
  }
}

/** Counts the images of jobs by outcome, such as answered, failed or postponed. Each postponement counts. */
export class JobMetrics {
  readonly #images: Counter;

  constructor(meter: Meter) {
    this.#images = meter.createCounter('keyless_vision.job.images', {
      description: 'Images of jobs by outcome.',
      unit: '{image}',
    });
  }

  record({ facts: { outcome, code } }: AnsweredRequest): void {
    if (typeof outcome !== 'string') return;
    this.#images.add(1, { outcome, ...(typeof code === 'string' ? { 'error.type': code } : {}) });
  }
}
