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

/** How much the memory of all buffers changes, in MB. */
function change(action: () => void): number {
  const before = process.memoryUsage().arrayBuffers;
  action();
  return (process.memoryUsage().arrayBuffers - before) / MB;
}

test('keeps all memory that was in use at the same time', () => {
  const buffers = Array.from({ length: 8 }, () => takeMemory(20 * MB));
  expect(change(() => void buffers.map(give))).toBeCloseTo(0);
  expect(change(() => void buffers.map(() => takeMemory(20 * MB)))).toBeCloseTo(0);
});

test('frees spare memory of other sizes, the oldest first, for more than 64 MB of fresh memory', () => {
  const buffers = [takeMemory(20 * MB), takeMemory(40 * MB)];
  buffers.map(give);
  const changes = [56, 24, 4, 32, 40].map((size) => Math.round(change(() => takeMemory(size * MB))));
  // Fresh memory without spare memory in return: 56, 80, 84 - 20, 96 MB. The last one is spare memory.
  expect(changes).toEqual([56, 24, 4 - 20, 32, 0]);
});

test('owes nothing for fresh memory if there is no spare memory', () => {
  takeMemory(640 * MB);
  give(takeMemory(20 * MB));
  expect(change(() => takeMemory(8 * MB))).toBeCloseTo(8);
});

test('frees spare memory for more than 32 MB on an instance with 512 MB', async () => {
  vi.spyOn(process, 'constrainedMemory').mockReturnValue(512 * MB);
  vi.resetModules();
  const small: Module = await import('../../src/http/spare-memory.ts');
  const buffer = small.takeMemory(20 * MB);
  small.giveMemory(buffer.buffer as ArrayBuffer, buffer);
  expect(change(() => small.takeMemory(48 * MB))).toBeCloseTo(48);
  expect(change(() => small.takeMemory(4 * MB))).toBeCloseTo(4 - 20);
});

test('all memory, in use and spare, is at most what was in use at the same time, 64 MB and one buffer', () => {
  const MAX_MB = 16;
  const step = oneof(record({ bytes: integer({ min: MB, max: MAX_MB * MB }) }), record({ ends: nat({ max: 3 }) }));
  assert(
    property(array(step, { minLength: 60, maxLength: 120 }), (steps) => {
      // Free what the last run has left.
      vi.advanceTimersByTime(20_000);
      collectGarbage();
      const before = process.memoryUsage().arrayBuffers;
      const held: Buffer[] = [];
      let inUse = 0;
      let most = 0;
      for (const each of steps) {
        if ('bytes' in each) {
          const buffer = takeMemory(each.bytes);
          held.push(buffer);
          inUse += buffer.buffer.byteLength;
        } else {
          for (const buffer of held.splice(each.ends, 1)) {
            inUse -= buffer.buffer.byteLength;
            give(buffer);
          }
        }
        most = Math.max(most, inUse);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThanOrEqual(most + 64 * MB + MAX_MB * MB);
      }
      held.map(give);
    }),
    { numRuns: 50 },
  );
});

test('frees spare memory that is not used for 10 to 20 seconds, even while other spare memory is used', () => {
  const [unused, used] = [takeMemory(20 * MB), takeMemory(8 * MB)];
  give(used);
  vi.advanceTimersByTime(5_000);
  give(unused);
  const reuse = (seconds: number): void => {
    for (let second = 0; second < seconds; second += 1) {
      vi.advanceTimersByTime(1_000);
      give(takeMemory(8 * MB));
    }
  };
  expect(change(() => reuse(9))).toBeCloseTo(0);
  expect(change(() => reuse(11))).toBeCloseTo(-20);
  expect(
    change(() => reuse(20)),
    'what is used is kept',
  ).toBeCloseTo(0);
  expect(change(() => vi.advanceTimersByTime(20_000))).toBeCloseTo(-8);
  expect(change(() => give(takeMemory(20 * MB)))).toBeCloseTo(20);
  expect(
    change(() => vi.advanceTimersByTime(20_000)),
    'the time begins again',
  ).toBeCloseTo(-20);
});
