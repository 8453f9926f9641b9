import { defaultInflightBytes } from '../config/memory-limit.ts';
import { yieldToOthers } from './event-loop.ts';

/** Smaller buffers are not worth reusing, because the allocator has memory for them. */
const LEAST_BYTES = 256 * 1024;
/** Spare memory that is not used again is freed after one to two of these periods, in milliseconds. */
const KEPT_MS = 10_000;
/**
 * How much more memory may be kept than was in use at the same time: the smaller buffers from which two images of
 * unknown length grew. Admission does not count it, so it is less on a small instance: a quarter of what its requests
 * may hold by default.
 */
const MAX_EXTRA_BYTES = Math.min(64 * 1024 * 1024, defaultInflightBytes() / 4);
/** Sizes are rounded up to one of four steps for each power of two, so that the memory of one image fits another. */
const STEPS_PER_DOUBLING = 4;

/** Memory that {@link takeMemory} handed out and {@link giveMemory} has not taken back. */
const taken = new WeakSet<ArrayBuffer>();
/** The memory of finished requests, and the period in which it was given back. The oldest comes first. */
const spare: { readonly memory: ArrayBuffer; readonly period: number }[] = [];
let spareBytes = 0;
let period = 0;
/** Bytes of fresh memory that was taken while there was spare memory, less what was freed in return. */
let owed = 0;
const timer = setTimeout(() => void endPeriod(), KEPT_MS).unref();

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
  if (found) spareBytes -= size;
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
  spareBytes += buffer.byteLength;
  spare.push({ memory: transferred(buffer), period });
  return true;
}

/**
 * Frees the oldest spare memory, so that no more than this many bytes are left, and {@link MAX_EXTRA_BYTES}. Admission
 * calls it when a request reserves bytes, with those that all requests together may still reserve.
 */
export function limitSpareMemory(bytes: number): void {
  while (spare[0] && spareBytes > Math.max(0, bytes) + MAX_EXTRA_BYTES) freeOldest();
}

/**
 * Detaches a buffer, and returns its memory. V8 counts that as memory that is freed and then taken. With as much fresh
 * memory beside it, which is never written to, the count does not fall. This saves a quarter of the CPU of a 20 MB image
 * (2026-11-27).
 */
function transferred(buffer: ArrayBuffer): ArrayBuffer {
  let ballast: ArrayBuffer | undefined;
  try {
    ballast = Buffer.allocUnsafeSlow(buffer.byteLength).buffer;
  } catch {
    // There is no memory for it. Memory can be given back without it.
  }
  const memory = buffer.transfer();
  ballast?.transfer(0);
  return memory;
}

/**
 * Fresh memory replaces spare memory of other sizes, the oldest first. So all memory together, in use and spare, exceeds
 * what was in use at the same time by at most {@link MAX_EXTRA_BYTES} and one buffer.
 */
function freshMemory(size: number): ArrayBuffer {
  owed += size;
  while (spare[0] && spare[0].memory.byteLength + MAX_EXTRA_BYTES <= owed) freeOldest();
  if (spare.length === 0) owed = 0;
  return Buffer.allocUnsafeSlow(size).buffer;
}

/** Frees one buffer in each turn of the event loop, because the system takes about 1 ms for 20 MB. */
async function endPeriod(): Promise<void> {
  const ending = period;
  period += 1;
  while (spare[0] && spare[0].period < ending) {
    freeOldest();
    await yieldToOthers();
  }
  if (spare.length > 0) timer.refresh();
}

function freeOldest(): void {
  const [oldest] = spare.splice(0, 1);
  if (!oldest) return;
  const { byteLength } = oldest.memory;
  spareBytes -= byteLength;
  owed = Math.max(0, owed - byteLength);
  oldest.memory.transfer(0);
}

function rounded(bytes: number): number {
  const step = 2 ** Math.floor(Math.log2(bytes)) / STEPS_PER_DOUBLING;
  return Math.ceil(bytes / step) * step;
}
