/** Smaller ones are not worth it, and may be a parser's own: busboy emits what it keeps of a boundary, and uses it again. */
const LEAST_BYTES = 4096;

/**
 * Gives a buffer's memory back at once; whoever still has the buffer finds it empty. The collector looks at the heap and
 * not at what lies outside of it: it lets several images of 20 MB lie about, and the next one is put into fresh pages,
 * which costs six times what copying the bytes does.
 */
export function releaseBuffer({ buffer, byteLength }: Uint8Array): void {
  // Small buffers share their memory with others: https://nodejs.org/api/buffer.html#static-method-bufferallocunsafesize
  const isOwn = buffer instanceof ArrayBuffer && byteLength === buffer.byteLength;
  if (isOwn && byteLength >= LEAST_BYTES) buffer.transfer(0);
}
