import { releaseBuffer } from '../http/release-buffer.ts';
import { inTurn } from '../http/turn.ts';

/** Bytes that are copied in one step, in well under a millisecond. */
const STEP_BYTES = 512 * 1024;

/** Copies chunks into one buffer of exactly their length, step by step, and gives back their memory. */
export async function joinChunks(chunks: readonly Uint8Array[]): Promise<Buffer> {
  const joined = Buffer.allocUnsafeSlow(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += STEP_BYTES) {
      const step = chunk.subarray(from, from + STEP_BYTES);
      await inTurn(() => joined.set(step, at));
      at += step.length;
    }
    releaseBuffer(chunk);
  }
  return joined;
}
