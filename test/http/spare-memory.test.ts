import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { array, assert, integer, nat, oneof, property, record } from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const MB = 1024 * 1024;
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
type Module = typeof import('../../src/http/spare-memory.ts');

let takeMemory: Module['takeMemory'];
let giveMemory: Module['giveMemory'];
beforeEach(async () => {
  // What another test has left may not be freed while this one measures.
  collectGarbage();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.resetModules();
  ({ takeMemory, giveMemory } = await import('../../src/http/spare-memory.ts'));
});
afterEach(() => {
  vi.advanceTimersByTime(20_000);
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function give(buffer: Buffer): boolean {
  return giveMemory(buffer.buffer as ArrayBuffer, buffer);
}

test('the memory of one request serves another of about its size, and the first finds its buffer empty', () => {
  const first = takeMemory(20 * MB).fill(7);
  const { byteLength } = first.buffer;
  expect(give(first)).toBe(true);
  expect([first.length, first.buffer.byteLength]).toEqual([0, 0]);
  const second = takeMemory(19 * MB);
  expect(second.length).toBe(19 * MB);
  expect(second.buffer.byteLength).toBe(byteLength);
  expect(second[0]).toBe(7);
  expect(takeMemory(20 * MB).buffer, 'it serves one at a time').not.toBe(second.buffer);
});

test('no image takes the memory of one that is a third larger', () => {
  give(takeMemory(20 * MB).fill(7));
  expect(takeMemory(15 * MB).buffer.byteLength).toBeLessThan(20 * MB);
});

test('a small buffer has no more memory than it needs', () => {
  for (const bytes of [0, 1, 1_000]) expect(takeMemory(bytes).buffer.byteLength).toBe(bytes);
});

test('any number of requests at once: each has the bytes that it wrote', () => {
  const step = oneof(record({ bytes: integer({ min: 1, max: 2 * MB }) }), record({ leaves: nat({ max: 7 }) }));
  assert(
    property(array(step, { maxLength: 40 }), (steps) => {
      const held: { buffer: Buffer; bytes: number; mark: number }[] = [];
      let mark = 0;
      for (const each of steps) {
        if ('bytes' in each) {
          mark = (mark + 1) % 256;
          held.push({ buffer: takeMemory(each.bytes).fill(mark), bytes: each.bytes, mark });
        } else {
          for (const { buffer } of held.splice(each.leaves, 1)) give(buffer);
        }
        for (const one of held) {
          expect(one.buffer.length).toBe(one.bytes);
          expect([one.buffer[0], one.buffer.at(-1)]).toEqual([one.mark, one.mark]);
        }
      }
    }),
    { numRuns: 50 },
  );
});

describe('is not taken back', () => {
  test.each([
    ['a buffer of somebody else', () => Buffer.alloc(2 * MB)],
    ['the end of a buffer', () => takeMemory(2 * MB).subarray(1)],
    ['a small one', () => takeMemory(1_024)],
  ])('%s', (_, make) => {
    const buffer = make();
    const { length } = buffer;
    expect(give(buffer)).toBe(false);
    expect(buffer.length).toBe(length);
  });
});

test('the beginning of a buffer stands for all of it', () => {
  const whole = takeMemory(2 * MB);
  expect(give(whole.subarray(0, 10))).toBe(true);
  expect(whole.length).toBe(0);
});

test('no more than 64 MB are kept', () => {
  const buffers = Array.from({ length: 4 }, () => takeMemory(20 * MB));
  const before = process.memoryUsage().arrayBuffers;
  expect(buffers.map(give)).toEqual([true, true, true, true]);
  expect(buffers.map(({ length }) => length)).toEqual([0, 0, 0, 0]);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(20 * MB);
  expect(before - process.memoryUsage().arrayBuffers).toBeLessThan(40 * MB);
});

test('what was given back first makes room for what is given back now', () => {
  const buffers = [takeMemory(20 * MB), takeMemory(56 * MB).fill(2)];
  const before = process.memoryUsage().arrayBuffers;
  expect(buffers.map(give)).toEqual([true, true]);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(20 * MB);
  expect(before - process.memoryUsage().arrayBuffers).toBeLessThan(40 * MB);
  const held = process.memoryUsage().arrayBuffers;
  expect(takeMemory(56 * MB)[0]).toBe(2);
  expect(process.memoryUsage().arrayBuffers - held).toBeLessThan(MB);
});

test('an instance with 512 MB of memory keeps no more than a quarter of the 128 MB that its requests may hold', async () => {
  vi.spyOn(process, 'constrainedMemory').mockReturnValue(512 * MB);
  vi.resetModules();
  const small: Module = await import('../../src/http/spare-memory.ts');
  const buffers = Array.from({ length: 4 }, () => small.takeMemory(12 * MB));
  const before = process.memoryUsage().arrayBuffers;
  for (const buffer of buffers) small.giveMemory(buffer.buffer as ArrayBuffer, buffer);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(24 * MB);
  expect(before - process.memoryUsage().arrayBuffers).toBeLessThan(36 * MB);
});

test('ten seconds after the last request ended, all is given back to the system', () => {
  const buffers = Array.from({ length: 3 }, () => takeMemory(20 * MB));
  const [first, second, third] = buffers as [Buffer, Buffer, Buffer];
  give(first);
  vi.advanceTimersByTime(9_000);
  give(second);
  give(third);
  vi.advanceTimersByTime(9_000);
  const before = process.memoryUsage().arrayBuffers;
  vi.advanceTimersByTime(1_000);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(60 * MB);
  const again = takeMemory(20 * MB);
  const [held] = [process.memoryUsage().arrayBuffers];
  give(again);
  expect(held - process.memoryUsage().arrayBuffers, 'there is room again').toBeLessThan(20 * MB);
});
