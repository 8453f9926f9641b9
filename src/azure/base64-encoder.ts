import { BASE64_MODULE } from './base64-module.ts';

/** Bytes that are encoded at a time: base64.wat takes multiples of 12, and these and their encoding fit into its one page. */
export const CHUNK_BYTES = 24 * 1024;

const FROM = 1024;
const TO = 28 * 1024;
const { page, run } = instantiate();

/**
 * Writes the base64 of a chunk to the beginning of `place`. Node encodes as fast, but into strings: 27 MB of garbage for an
 * image of 20 MB, and a heap that grows with it.
 *
 * @param chunk - {@link CHUNK_BYTES}, or fewer at the end of an image
 * @returns the bytes written
 */
export function encodeBase64(chunk: Buffer, place: Buffer): number {
  if (chunk.length < CHUNK_BYTES) return place.write(chunk.toString('base64'), 'latin1');
  chunk.copy(page, FROM);
  run(FROM, FROM + CHUNK_BYTES, TO);
  return page.copy(place, 0, TO, TO + base64Length(CHUNK_BYTES));
}

/** Bytes of the base64 of so many. */
export function base64Length(bytes: number): number {
  return 4 * Math.ceil(bytes / 3);
}

function instantiate(): { page: Buffer; run: (from: number, end: number, to: number) => void } {
  const { memory, encode } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(BASE64_MODULE, 'base64'))).exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof encode !== 'function') throw new Error('base64.wat exports its memory and encode()');
  return { page: Buffer.from(memory.buffer), run: (from, end, to) => void encode(from, end, to) };
}
