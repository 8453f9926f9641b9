import { giveMemory } from './spare-memory.ts';

/** Smaller ones are not worth it, and may be a parser's own: busboy emits what it keeps of a boundary, and uses it again. */
const LEAST_BYTES = 4096;

/**
 * Gives a buffer's memory to later requests, or back to the system, at once. Whoever still has the buffer finds it empty.
 * The garbage collector looks at the heap and not at what lies outside of it: it would let several images of 20 MB lie about.
 */
export function releaseBuffer(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (!(buffer instanceof ArrayBuffer) || byteLength < LEAST_BYTES || giveMemory(buffer, bytes)) return;
  // A buffer may share its memory with others: https://nodejs.org/api/buffer.html#static-method-bufferallocunsafesize
  if (byteLength === buffer.byteLength) buffer.transfer(0);
}
