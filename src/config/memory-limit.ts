import { availableParallelism, totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** What is left to the requests of all the memory there is; the rest is code, connections and what the host buffers. */
const SHARE_OF_MEMORY = 1 / 4;
/** The heap's limit tells of a small instance where nothing else does, for whoever runs Node with a smaller one. */
const SHARE_OF_HEAP = 1 / 2;

/** One image in decoding may have this share of all memory, beside what requests hold. */
const SHARE_OF_DECODER = 1 / 4;
/** An AVIF of 48 megapixels needs so many bytes, a HEIC or JPEG half of them. Nothing that a phone takes needs more. */
const MAX_DECODER_BYTES = 1024 ** 3;
/** Memory for each image that is in decoding at the same time. */
const BYTES_PER_DECODER = 2 * 1024 ** 3;

/** How many images may be in decoding at once, and how many bytes each may take. */
export interface DecoderLimits {
  readonly workers: number;
  readonly maxMemoryBytes: number;
}

/** How many images this process may decode at once, from the memory and the processors that it has. */
export function defaultDecoderLimits(): DecoderLimits {
  const forMemory = Math.floor(memory() / BYTES_PER_DECODER);
  return {
    workers: Math.max(1, Math.min(forMemory, availableParallelism())),
    maxMemoryBytes: Math.floor(Math.min(MAX_DECODER_BYTES, memory() * SHARE_OF_DECODER)),
  };
}

/** How many bytes requests may hold in this process, from the limits that it runs under (cgroup, machine, V8). */
export function defaultInflightBytes(): number {
  return Math.floor(Math.min(memory() * SHARE_OF_MEMORY, getHeapStatistics().heap_size_limit * SHARE_OF_HEAP));
}

function memory(): number {
  return Math.min(process.constrainedMemory() || Infinity, totalmem());
}
