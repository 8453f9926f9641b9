import { Agent } from 'node:http';
import { TEMPORARY } from './build-sides.ts';
import { type Answers, bytesOf, sendAtOnce } from './load.ts';
import { photoOf } from './photo.ts';
import type { Load, Plan } from './plan.ts';
import { post } from './post.ts';
import { RunningSide } from './side.ts';
import type { Upstream } from './upstream.ts';

/** Limit of V8's old generation. Bodies and images are in buffers, which do not count. */
const HEAP_MB = 256;

/** What far too many large images at once do to a process with a small heap. */
export interface Burst extends Load {
  readonly heapMb: number;
  readonly answered: number;
  /** Rejected with 503. */
  readonly shed: number;
  /** Number of requests by any other result. */
  readonly failed: Answers['failed'];
  readonly aliveAfter: boolean;
  /** Result of one request after the burst: a status or an error code. */
  readonly nextAnswer: string;
}

/** Sends a burst to a process with a small heap, and then one more request. */
export async function measureBurst(upstream: Upstream, { burst }: Plan): Promise<Burst> {
  const env = { ...upstream.env(), TMPDIR: TEMPORARY, NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` };
  const running = await RunningSide.start('this project', env);
  const agent = new Agent();
  try {
    const target = running.target(photoOf(bytesOf(burst)));
    const { answered, failed } = await sendAtOnce(target, burst.concurrency);
    const { result } = await post(target, agent);
    const { '503': shed = 0, ...others } = failed;
    return { ...burst, heapMb: HEAP_MB, answered, shed, failed: others, aliveAfter: running.alive, nextAnswer: result };
  } finally {
    agent.destroy();
    await running.stop();
  }
}
