const LINE_END = Buffer.from('\r\n');

/**
 * The body of a form up to its closing boundary. What follows is to be ignored (RFC 2046, section 5.1.1), and the
 * parser would wait behind it for ever: https://github.com/fastify/busboy/issues/228
 * It is still read, so that it counts towards the limit of a body whether its length was announced or not.
 */
export async function* untilClosed(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Uint8Array> {
  const closing = Buffer.from(`\r\n--${boundary}--`);
  // A boundary may stand at the very beginning, where no line ends before it.
  let before: Uint8Array = LINE_END;
  let closed = false;
  for await (const chunk of body) {
    if (closed) continue;
    const end = endOf(closing, before, chunk);
    if (end !== undefined) {
      closed = true;
      yield chunk.subarray(0, end);
      continue;
    }
    before = Buffer.concat([before, chunk.subarray(-closing.length)]).subarray(-closing.length);
    yield chunk;
  }
}

/** Where in a chunk the closing boundary ends, which may have begun in what stood before. */
function endOf(closing: Buffer, before: Uint8Array, chunk: Uint8Array): number | undefined {
  const seam = Buffer.concat([before, chunk.subarray(0, closing.length)]).indexOf(closing);
  if (seam >= 0) return seam + closing.length - before.length;
  const at = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).indexOf(closing);
  return at >= 0 ? at + closing.length : undefined;
}
