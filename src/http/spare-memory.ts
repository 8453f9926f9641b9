import { defaultInflightBytes } from '../config/memory-limit.ts';

/** Smaller buffers cost little: the allocator has memory for them at hand. */
const LEAST_BYTES = 256 * 1024;
/**
 * Bytes that are kept for later requests, at most: three images of the largest size. Admission does not count them, so a
 * small instance keeps less: a quarter of what its requests may hold.
 */
const MAX_SPARE_BYTES = Math.min(64 * 1024 * 1024, defaultInflightBytes() / 4);
/** Spare memory is given back if no request has ended for so long, in milliseconds. */
const KEPT_MS = 10_000;
/** Sizes are rounded up to one of so many between two powers of two, so that the memory of one image fits another. */
const STEPS_PER_DOUBLING = 4;

/** What was taken here and not given back; the garbage collector may have taken some of it. */
const taken = new WeakSet<ArrayBuffer>();
const spare: ArrayBuffer[] = [];
let spareBytes = 0;
const giveBack = setTimeout(clear, KEPT_MS).unref();

/**
 * Makes a buffer of so many bytes. They are what they happen to be, perhaps another request's, so write all of them
 * before you read any.
 *
 * It uses the memory of a request that is over, if it can. The first write to a page of fresh memory makes the system find
 * and clear that page, which costs several times what copying an image does.
 */
export function takeMemory(bytes: number): Buffer {
  if (bytes < LEAST_BYTES) return Buffer.allocUnsafeSlow(bytes);
  const size = rounded(bytes);
  const at = spare.findLastIndex(({ byteLength }) => byteLength === size);
  const [found] = at < 0 ? [] : spare.splice(at, 1);
  if (found) spareBytes -= size;
  const memory = found ?? Buffer.allocUnsafeSlow(size).buffer;
  taken.add(memory);
  return Buffer.from(memory, 0, bytes);
}

/**
 * Takes back the memory of a buffer that {@link takeMemory} made, or of the beginning of one, and keeps it for later
 * requests. What was given back first makes room for it. Whoever still has the buffer finds it empty.
 * @returns false if it is another buffer
 */
export function giveMemory(buffer: ArrayBuffer, { byteOffset }: Uint8Array): boolean {
  if (byteOffset !== 0 || !taken.delete(buffer)) return false;
  const size = buffer.byteLength;
  if (size > MAX_SPARE_BYTES) {
    buffer.transfer(0);
    return true;
  }
  while (spareBytes + size > MAX_SPARE_BYTES) drop(spare.shift());
  spare.push(buffer.transfer());
  spareBytes += size;
  giveBack.refresh();
  return true;
}

function rounded(bytes: number): number {
  const step = 2 ** Math.floor(Math.log2(bytes)) / STEPS_PER_DOUBLING;
  return Math.ceil(bytes / step) * step;
}

function drop(memory: ArrayBuffer | undefined): void {
  spareBytes -= memory?.byteLength ?? 0;
  memory?.transfer(0);
}

function clear(): void {
  while (spare.length > 0) drop(spare.shift());
}
