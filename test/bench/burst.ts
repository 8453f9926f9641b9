import { Agent } from 'node:http';
import { TEMPORARY } from './build-sides.ts';
import { type Answers, bytesOf, sendAtOnce } from './load.ts';
import { photoOf } from './photo.ts';
import type { Load, Plan } from './plan.ts';
import { post } from './post.ts';
import { RunningSide } from './side.ts';
import type { Upstream } from './upstream.ts';

const HEAP_MB = 256;

/** What far too many large images at once are to a process with little memory. */
export interface Burst extends Load {
  readonly heapMb: number;
  readonly answered: number;
  /** Turned away with 503. */
  readonly shed: number;
  /** All that ended in another way, and how. */
  readonly failed: Answers['failed'];
  readonly aliveAfter: boolean;
  /** What a caller got who came afterwards. */
  readonly nextAnswer: string;
}

/** Sends a burst to a process that has a heap of 256 MB, and one request after it. */
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
