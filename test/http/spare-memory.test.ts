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
  // Otherwise, the memory of an earlier test could be freed while this one measures.
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

test('reuses the memory of one request for another of about the same size, and empties the first buffer', () => {
  const first = takeMemory(20 * MB).fill(7);
  const { byteLength } = first.buffer;
  expect(give(first)).toBe(true);
  expect([first.length, first.buffer.byteLength]).toEqual([0, 0]);
  const second = takeMemory(19 * MB);
  expect(second.length).toBe(19 * MB);
  expect(second.buffer.byteLength).toBe(byteLength);
  expect(second[0]).toBe(7);
  expect(takeMemory(20 * MB).buffer, 'memory in use is not handed out again').not.toBe(second.buffer);
});

test('does not reuse the memory of an image that is a third larger', () => {
  give(takeMemory(20 * MB).fill(7));
  expect(takeMemory(15 * MB).buffer.byteLength).toBeLessThan(20 * MB);
});

test('gives a small buffer no more memory than it needs', () => {
  for (const bytes of [0, 1, 1_000]) expect(takeMemory(bytes).buffer.byteLength).toBe(bytes);
});

test('buffers that are in use at the same time never share memory', () => {
  const step = oneof(record({ bytes: integer({ min: 1, max: 2 * MB }) }), record({ ends: nat({ max: 7 }) }));
  assert(
    property(array(step, { maxLength: 40 }), (steps) => {
      const held: { buffer: Buffer; bytes: number; mark: number }[] = [];
      let mark = 0;
      for (const each of steps) {
        if ('bytes' in each) {
          mark = (mark + 1) % 256;
          held.push({ buffer: takeMemory(each.bytes).fill(mark), bytes: each.bytes, mark });
        } else {
          for (const { buffer } of held.splice(each.ends, 1)) give(buffer);
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

describe('does not take back', () => {
  test.each([
    ['a buffer that takeMemory did not make', () => Buffer.alloc(2 * MB)],
    ['a view that does not start at the start of its buffer', () => takeMemory(2 * MB).subarray(1)],
    ['a small buffer', () => takeMemory(1_024)],
  ])('%s', (_, make) => {
    const buffer = make();
    const { length } = buffer;
    expect(give(buffer)).toBe(false);
    expect(buffer.length).toBe(length);
  });
});

test('takes back a whole buffer by a view of its start', () => {
  const whole = takeMemory(2 * MB);
  expect(give(whole.subarray(0, 10))).toBe(true);
  expect(whole.length).toBe(0);
});

test('keeps no more than 64 MB', () => {
  const buffers = Array.from({ length: 4 }, () => takeMemory(20 * MB));
  const before = process.memoryUsage().arrayBuffers;
  expect(buffers.map(give)).toEqual([true, true, true, true]);
  expect(buffers.map(({ length }) => length)).toEqual([0, 0, 0, 0]);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(20 * MB);
  expect(before - process.memoryUsage().arrayBuffers).toBeLessThan(40 * MB);
});

test('frees the memory that was given back first to make room for new memory', () => {
  const buffers = [takeMemory(20 * MB), takeMemory(56 * MB).fill(2)];
  const before = process.memoryUsage().arrayBuffers;
  expect(buffers.map(give)).toEqual([true, true]);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(20 * MB);
  expect(before - process.memoryUsage().arrayBuffers).toBeLessThan(40 * MB);
  const held = process.memoryUsage().arrayBuffers;
  expect(takeMemory(56 * MB)[0]).toBe(2);
  expect(process.memoryUsage().arrayBuffers - held).toBeLessThan(MB);
});

test('keeps no more than 32 MB on an instance with 512 MB: a quarter of what its requests may hold', async () => {
  vi.spyOn(process, 'constrainedMemory').mockReturnValue(512 * MB);
  vi.resetModules();
  const small: Module = await import('../../src/http/spare-memory.ts');
  const buffers = Array.from({ length: 4 }, () => small.takeMemory(12 * MB));
  const before = process.memoryUsage().arrayBuffers;
  for (const buffer of buffers) small.giveMemory(buffer.buffer as ArrayBuffer, buffer);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(24 * MB);
  expect(before - process.memoryUsage().arrayBuffers).toBeLessThan(36 * MB);
});

test('frees all kept memory ten seconds after memory was last given back', () => {
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
  expect(held - process.memoryUsage().arrayBuffers, 'memory is kept again').toBeLessThan(20 * MB);
});
