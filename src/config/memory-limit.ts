import { availableParallelism, totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** The share of all memory that requests may hold. Code, connections and the Functions host's buffers need the rest. */
const SHARE_OF_MEMORY = 1 / 4;
/** The share of V8's heap limit that requests may hold. It matters if Node runs with a smaller heap than usual. */
const SHARE_OF_HEAP = 1 / 2;

/** The share of all memory that one decoder may use, in addition to what requests hold. */
const SHARE_OF_DECODER = 1 / 4;
/** An AVIF of 48 megapixels needs 1 GB, a HEIC or JPEG half of it. No photo from a phone needs more. */
const MAX_DECODER_BYTES = 1024 ** 3;
/** The app may decode one image at a time for each 2 GB of memory. */
const BYTES_PER_DECODER = 2 * 1024 ** 3;

/** How many images may be decoded at the same time, and how many bytes each decoder may use. */
export interface DecoderLimits {
  readonly workers: number;
  readonly maxMemoryBytes: number;
}

/** Works out the decoder limits from the memory and the processors of this process. */
export function defaultDecoderLimits(): DecoderLimits {
  const forMemory = Math.floor(memory() / BYTES_PER_DECODER);
  return {
    workers: Math.max(1, Math.min(forMemory, availableParallelism())),
    maxMemoryBytes: Math.floor(Math.min(MAX_DECODER_BYTES, memory() * SHARE_OF_DECODER)),
  };
}

/** Works out how many bytes all requests together may hold, from the limits of the cgroup, the machine and V8. */
export function defaultInflightBytes(): number {
  return Math.floor(Math.min(memory() * SHARE_OF_MEMORY, getHeapStatistics().heap_size_limit * SHARE_OF_HEAP));
}

function memory(): number {
  return Math.min(process.constrainedMemory() || Infinity, totalmem());
}
