import { defaultInflightBytes } from '../config/memory-limit.ts';

/** Smaller buffers are not worth reusing, because the allocator has memory for them. */
const LEAST_BYTES = 256 * 1024;
/** Spare memory that is not used again is freed after one to two of these periods, in milliseconds. */
const KEPT_MS = 10_000;
/**
 * How much more memory may be kept than was in use at the same time: the smaller buffers from which three images of
 * unknown length grew. Admission does not count it, so it is less on a small instance: a quarter of what its requests
 * may hold.
 */
const MAX_EXTRA_BYTES = Math.min(64 * 1024 * 1024, defaultInflightBytes() / 4);
/** Sizes are rounded up to one of four steps for each power of two, so that the memory of one image fits another. */
const STEPS_PER_DOUBLING = 4;

/** Memory that {@link takeMemory} handed out and {@link giveMemory} has not taken back. */
const taken = new WeakSet<ArrayBuffer>();
/** The memory of finished requests, and the period in which it was given back. The oldest comes first. */
const spare: { readonly memory: ArrayBuffer; readonly period: number }[] = [];
let period = 0;
/** Bytes of fresh memory that was taken while there was spare memory, less what was freed in return. */
let owed = 0;
const timer = setTimeout(endPeriod, KEPT_MS).unref();

/**
 * Makes a buffer of the given number of bytes. Its content is undefined and may come from another request, so write
 * every byte before you read it.
 *
 * It reuses the memory of a finished request if it can. At the first write to a page of fresh memory, the operating
 * system has to find and clear that page, which costs several times as much as copying an image. And V8 counts the
 * memory of buffers: if the count falls and then grows by a few MB, V8 starts a full garbage collection.
 */
export function takeMemory(bytes: number): Buffer {
  if (bytes < LEAST_BYTES) return Buffer.allocUnsafeSlow(bytes);
  const size = rounded(bytes);
  const at = spare.findLastIndex(({ memory }) => memory.byteLength === size);
  const [found] = at < 0 ? [] : spare.splice(at, 1);
  const memory = found?.memory ?? freshMemory(size);
  taken.add(memory);
  return Buffer.from(memory, 0, bytes);
}

/**
 * Takes back the memory of a buffer from {@link takeMemory}, or of a view of its start, and keeps it for later
 * requests. All views of the memory become empty.
 * @returns false if the memory is not from {@link takeMemory}
 */
export function giveMemory(buffer: ArrayBuffer, { byteOffset }: Uint8Array): boolean {
  if (byteOffset !== 0 || !taken.delete(buffer)) return false;
  if (spare.length === 0) timer.refresh();
  // V8 counts a transfer as memory that is freed and then taken. With as much fresh memory beside it, which is never
  // written to, the count does not fall. This saves a quarter of the CPU of a 20 MB image (2026-11-27).
  const ballast = Buffer.allocUnsafeSlow(buffer.byteLength).buffer;
  spare.push({ memory: buffer.transfer(), period });
  ballast.transfer(0);
  return true;
}

/**
 * Fresh memory replaces spare memory of other sizes, the oldest first. So all memory together, in use and spare, stays
 * close to what was in use at the same time, which admission limits. It may exceed it by {@link MAX_EXTRA_BYTES} and one
 * buffer.
 */
function freshMemory(size: number): ArrayBuffer {
  owed += size;
  for (let [oldest] = spare; oldest && oldest.memory.byteLength + MAX_EXTRA_BYTES <= owed; [oldest] = spare) {
    owed -= oldest.memory.byteLength;
    freeOldest();
  }
  if (spare.length === 0) owed = 0;
  return Buffer.allocUnsafeSlow(size).buffer;
}

function endPeriod(): void {
  while (spare[0] && spare[0].period < period) freeOldest();
  period += 1;
  if (spare.length > 0) timer.refresh();
}

function freeOldest(): void {
  spare.shift()?.memory.transfer(0);
}

function rounded(bytes: number): number {
  const step = 2 ** Math.floor(Math.log2(bytes)) / STEPS_PER_DOUBLING;
  return Math.ceil(bytes / step) * step;
}
