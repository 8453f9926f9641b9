import type { Connection } from '../functions/connection.ts';

/**
 * A body that is made no faster than it is read. The library writes whatever it is given at once, so a slow reader
 * would otherwise pile the whole answer up in this process.
 *
 * @param ended - called once, when the last piece was taken or nobody wants it any more
 */
export async function* paced(
  pieces: AsyncIterable<string>,
  connection: Connection,
  ended: () => void,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  try {
    for await (const piece of pieces) {
      yield encoder.encode(piece);
      await connection.drained();
    }
  } finally {
    ended();
  }
}
