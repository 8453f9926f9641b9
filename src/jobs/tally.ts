import type { BlobItem } from '@azure/storage-blob';
import * as v from 'valibot';
import { NO_USAGE, Usage } from '../vision/completion.ts';
import type { JobStatus } from './job.ts';

const Count = v.number();
/** The stored status of a job that is done. */
export const DoneStatus = v.object({
  id: v.string(),
  status: v.literal('done'),
  found: Count,
  answered: Count,
  failed: Count,
  usage: Usage,
  startedAt: v.string(),
  finishedAt: v.string(),
  problem: v.optional(v.unknown()),
});

/** Computes the status of a job from its blobs. */
export class Tally {
  #found = 0;
  #answered = 0;
  #failed = 0;
  #isListed = false;
  #usage = NO_USAGE;
  #last: Date | undefined;
  #end: Record<string, string> = {};
  /** The problem of the job if no page has an image. */
  #emptyProblem: string | undefined;

  /** Adds one blob, listed with its metadata. */
  add({ name, metadata = {}, properties }: BlobItem): void {
    if (name.endsWith('/job.json')) this.#end = metadata;
    if (name.includes('/pages/')) {
      this.#found += number(metadata['count']);
      this.#isListed ||= metadata['last'] === 'true';
      this.#emptyProblem ??= metadata['problem'];
    }
    if (!name.includes('/results/')) return;
    if (metadata['outcome'] === 'answered') this.#answered += 1;
    else this.#failed += 1;
    this.#usage = add(this.#usage, metadata);
    if (!this.#last || properties.lastModified > this.#last) this.#last = properties.lastModified;
  }

  /** Returns the status after all blobs were added. */
  status(id: string, startedAt: string): JobStatus {
    const [answered, failed, usage] = [this.#answered, this.#failed, this.#usage];
    // A page may be written after the listing has passed its name, but before the listing reaches its results.
    const found = Math.max(this.#found, answered + failed);
    const known = { id, found, answered, failed, usage, startedAt };
    const { cancelled, failed: failedAt, problem } = this.#end;
    if (failedAt) return { ...known, status: 'failed', finishedAt: failedAt, problem: problem && decode(problem) };
    if (cancelled) return { ...known, status: 'cancelled', finishedAt: cancelled };
    if (!this.#isListed) return { ...known, status: 'listing', finishedAt: null };
    if (answered + failed < found) return { ...known, status: 'running', finishedAt: null };
    const done = { ...known, status: 'done', finishedAt: this.#last?.toISOString() ?? startedAt } as const;
    return found === 0 && this.#emptyProblem ? { ...done, problem: decode(this.#emptyProblem) } : done;
  }
}

function add(usage: Usage, { input, cached, output, reasoning, total }: Record<string, string>): Usage {
  return {
    inputTokens: usage.inputTokens + number(input),
    cachedInputTokens: usage.cachedInputTokens + number(cached),
    outputTokens: usage.outputTokens + number(output),
    reasoningTokens: usage.reasoningTokens + number(reasoning),
    totalTokens: usage.totalTokens + number(total),
  };
}

function number(text: string | undefined): number {
  return Number(text ?? 0);
}

/** Encodes a value for metadata. Metadata are sent as headers, which allow only ASCII. */
export function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

function decode(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'base64').toString());
}
