import { defaultInflightBytes } from '../config/memory-limit.ts';

/** Smaller buffers are not worth reusing, because the allocator has memory for them. */
const LEAST_BYTES = 256 * 1024;
/**
 * The most bytes to keep for later requests: three images of the largest size. Admission does not count these bytes, so
 * a small instance keeps less: a quarter of what its requests may hold.
 */
const MAX_SPARE_BYTES = Math.min(64 * 1024 * 1024, defaultInflightBytes() / 4);
/** Spare memory is freed after this many milliseconds in which no memory was given back. */
const KEPT_MS = 10_000;
/** Sizes are rounded up to one of four steps for each power of two, so that the memory of one image fits another. */
const STEPS_PER_DOUBLING = 4;

/** Memory that {@link takeMemory} handed out and {@link giveMemory} has not taken back. */
const taken = new WeakSet<ArrayBuffer>();
const spare: ArrayBuffer[] = [];
let spareBytes = 0;
const giveBack = setTimeout(clear, KEPT_MS).unref();

/**
 * Makes a buffer of the given number of bytes. Its content is undefined and may come from another request, so write
 * every byte before you read it.
 *
 * It reuses the memory of a finished request if it can. At the first write to a page of fresh memory, the operating
 * system has to find and clear that page, which costs several times as much as copying an image.
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
 * Takes back the memory of a buffer from {@link takeMemory}, or of a view of its start, and keeps it for later
 * requests. If too much is kept, the oldest is freed. All views of the memory become empty.
 * @returns false if the memory is not from {@link takeMemory}
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
