import { giveMemory } from './spare-memory.ts';

/** Smaller buffers are not worth it, and may belong to a parser: busboy emits part of its own buffer and reuses it. */
const LEAST_BYTES = 4096;

/**
 * Frees a buffer's memory at once, or keeps it for later requests. All views of the memory become empty. The garbage
 * collector would free it late, because it looks at the size of the heap, and buffers are outside the heap.
 */
export function releaseBuffer(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (!(buffer instanceof ArrayBuffer) || byteLength < LEAST_BYTES || giveMemory(buffer, bytes)) return;
  // A smaller buffer may share its memory: https://nodejs.org/api/buffer.html#static-method-bufferallocunsafesize
  if (byteLength === buffer.byteLength) buffer.transfer(0);
}
