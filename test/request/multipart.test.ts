import { expect, test } from 'vitest';
import { readMultipart } from '../../src/request/multipart.ts';

const LIMITS = { maxImages: 10, maxImageBytes: 1_000_000 };
const HEAD = '--A\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n';

test.each(['\r', '\r\n', '\r\n-', '\r\n--'])(
  'an image may have what begins like a boundary, also at the end of a chunk: %j',
  async (begun) => {
    const [before, behind, second] = ['x'.repeat(10_000), ' and goes on', 'y'.repeat(10_000)];
    const chunks = [
      `${HEAD}${before}${begun}`,
      `${behind}\r\n${HEAD}${second}${begun}`,
      `${behind}\r\n${HEAD}${second}\r\n--A--\r\n`,
    ];
    const { images } = await readMultipart(inTurn(chunks), 'multipart/form-data; boundary=A', LIMITS);
    expect(images.map(String)).toEqual([before + begun + behind, second + begun + behind, second]);
  },
);

/** Each in memory of its own, as a socket brings them. */
async function* inTurn(chunks: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(chunk));
    bytes.write(chunk);
    yield bytes;
  }
}
