const LINE_END = Buffer.from('\r\n');

/**
 * Yields the body of a form up to its closing boundary. Anything after that must be ignored (RFC 2046, section 5.1.1),
 * and would make the parser wait for ever: https://github.com/fastify/busboy/issues/228
 * It still reads the rest, so that the rest counts towards the body's limit, with or without a Content-Length.
 */
export async function* untilClosed(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Uint8Array> {
  const closing = Buffer.from(`\r\n--${boundary}--`);
  // At the very beginning, a boundary needs no line break before it.
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

/** Returns where the closing boundary ends in a chunk. It may begin in the bytes `before` the chunk. */
function endOf(closing: Buffer, before: Uint8Array, chunk: Uint8Array): number | undefined {
  const seam = Buffer.concat([before, chunk.subarray(0, closing.length)]).indexOf(closing);
  if (seam >= 0) return seam + closing.length - before.length;
  const at = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).indexOf(closing);
  return at >= 0 ? at + closing.length : undefined;
}
