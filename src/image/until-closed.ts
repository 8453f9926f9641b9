const LINE_END = Buffer.from('\r\n');

/**
 * The body of a form up to its closing boundary. What follows is to be ignored (RFC 2046, section 5.1.1), and the
 * parser would wait behind it for ever: https://github.com/fastify/busboy/issues/228
 */
export async function* untilClosed(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Uint8Array> {
  const closing = Buffer.from(`\r\n--${boundary}--`);
  // A boundary may stand at the very beginning, where no line ends before it.
  let before: Uint8Array = LINE_END;
  for await (const chunk of body) {
    const seen = Buffer.concat([before, chunk]);
    const at = seen.indexOf(closing);
    if (at >= 0) {
      yield chunk.subarray(0, at + closing.length - before.length);
      return;
    }
    yield chunk;
    before = seen.subarray(-closing.length);
  }
}
