import { setFlagsFromString } from 'node:v8';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { array, assert, asyncProperty, integer, nat, oneof, property, record } from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const MB = 1024 * 1024;
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
type Module = typeof import('../../src/http/spare-memory.ts');

let takeMemory: Module['takeMemory'];
let giveMemory: Module['giveMemory'];
let limitSpareMemory: Module['limitSpareMemory'];
/** Buffers in use, so that V8 does not free their memory during a test. */
const inUse: Buffer[] = [];
beforeEach(async () => {
  // Otherwise, the memory of an earlier test could be freed while this one measures.
  collectGarbage();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.resetModules();
  ({ takeMemory, giveMemory, limitSpareMemory } = await import('../../src/http/spare-memory.ts'));
});
afterEach(async () => {
  inUse.length = 0;
  await pass(20);
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
  return Math.round((process.memoryUsage().arrayBuffers - before) / MB);
}

/** How much the memory of all buffers changes while time passes, in MB. */
async function changeIn(seconds: number, each?: () => void): Promise<number> {
  const before = process.memoryUsage().arrayBuffers;
  await pass(seconds, each);
  return Math.round((process.memoryUsage().arrayBuffers - before) / MB);
}

/** Turns of the event loop in each second: one buffer is freed in each, and no test has more of them. */
const TURNS = 150;

async function pass(seconds: number, each?: () => void): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    vi.advanceTimersByTime(1_000);
    for (let turn = 0; turn < TURNS; turn += 1) await nextTurn();
    each?.();
  }
}

/** Takes memory that stays in use until the test is over. */
function hold(megabytes: number): void {
  inUse.push(takeMemory(megabytes * MB));
}

test('keeps all memory that was in use at the same time', () => {
  const buffers = Array.from({ length: 8 }, () => takeMemory(20 * MB));
  expect(change(() => void buffers.map(give))).toBe(0);
  expect(change(() => buffers.map(() => hold(20)))).toBe(0);
});

test('frees spare memory of other sizes, the oldest first, for more than 64 MB of fresh memory', () => {
  const buffers = [takeMemory(20 * MB), takeMemory(40 * MB)];
  buffers.map(give);
  const changes = [56, 24, 4, 32, 40].map((size) => change(() => hold(size)));
  // Fresh memory without spare memory in return: 56, 80, 84 - 20, 96 MB. The last one is spare memory.
  expect(changes).toEqual([56, 24, 4 - 20, 32, 0]);
});

test('owes nothing for fresh memory if there is no spare memory', () => {
  hold(640);
  give(takeMemory(20 * MB));
  expect(change(() => hold(8))).toBe(8);
});

test('owes nothing for fresh memory if as much spare memory was freed in another way', async () => {
  const buffers = [takeMemory(32 * MB), takeMemory(32 * MB), takeMemory(10 * MB)];
  buffers.map(give);
  hold(64);
  const use = (): void => void give(takeMemory(10 * MB));
  expect(await changeIn(20, use), 'frees what is not used').toBe(-64);
  expect(change(() => hold(20))).toBe(20);
});

test('frees spare memory for more than 32 MB on an instance with 512 MB', async () => {
  vi.spyOn(process, 'constrainedMemory').mockReturnValue(512 * MB);
  vi.resetModules();
  ({ takeMemory, giveMemory } = await import('../../src/http/spare-memory.ts'));
  give(takeMemory(20 * MB));
  expect(change(() => hold(48))).toBe(48);
  expect(change(() => hold(4))).toBe(4 - 20);
});

test('frees the oldest spare memory if there is less room for it', () => {
  const buffers = [takeMemory(80 * MB), takeMemory(20 * MB), takeMemory(10 * MB)];
  buffers.map(give);
  expect(
    change(() => limitSpareMemory(46 * MB)),
    'the room, and 64 MB',
  ).toBe(0);
  expect(change(() => limitSpareMemory(45 * MB))).toBe(-80);
  expect(
    change(() => limitSpareMemory(-100 * MB)),
    '64 MB are always kept',
  ).toBe(0);
  expect([20, 10].map((size) => change(() => hold(size)))).toEqual([0, 0]);
  give(takeMemory(60 * MB));
  expect(
    change(() => limitSpareMemory(0)),
    'memory in use does not count',
  ).toBe(0);
});

test('a request that reserves bytes frees spare memory', async () => {
  const { Admission } = await import('../../src/http/admission.ts');
  const buffers = Array.from({ length: 8 }, () => takeMemory(20 * MB));
  buffers.map(give);
  const reservation = new Admission(160 * MB).enter();
  expect(change(() => reservation.grow(64 * MB))).toBe(0);
  expect(change(() => reservation.grow(1))).toBe(-20);
  expect(change(() => reservation.grow(20 * MB))).toBe(-20);
});

test('gives memory back without memory for anything else', () => {
  const buffer = takeMemory(20 * MB);
  vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation(() => {
    throw new RangeError('Array buffer allocation failed');
  });
  expect(give(buffer)).toBe(true);
  expect(change(() => hold(20))).toBe(0);
});

test('all memory, in use and spare, is at most what was in use at the same time, 64 MB and one buffer', async () => {
  const MAX_MB = 16;
  const step = oneof(record({ bytes: integer({ min: MB, max: MAX_MB * MB }) }), record({ ends: nat({ max: 3 }) }));
  await assert(
    asyncProperty(array(step, { minLength: 60, maxLength: 120 }), async (steps) => {
      // Free what the last run has left.
      await pass(20);
      collectGarbage();
      const before = process.memoryUsage().arrayBuffers;
      const used: Buffer[] = [];
      let taken = 0;
      let most = 0;
      for (const each of steps) {
        if ('bytes' in each) {
          const buffer = takeMemory(each.bytes);
          used.push(buffer);
          taken += buffer.buffer.byteLength;
        } else {
          for (const buffer of used.splice(each.ends, 1)) {
            taken -= buffer.buffer.byteLength;
            give(buffer);
          }
        }
        most = Math.max(most, taken);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThanOrEqual(most + 64 * MB + MAX_MB * MB);
      }
      used.map(give);
    }),
    { numRuns: 40 },
  );
});

test('frees spare memory that is not used for 10 to 20 seconds, even while other spare memory is used', async () => {
  const [unused, used] = [takeMemory(20 * MB), takeMemory(8 * MB)];
  const use = (): void => void give(takeMemory(8 * MB));
  give(used);
  await pass(5);
  give(unused);
  expect(await changeIn(9, use)).toBe(0);
  expect(await changeIn(11, use)).toBe(-20);
  expect(await changeIn(20, use), 'what is used is kept').toBe(0);
  expect(await changeIn(20)).toBe(-8);
  give(takeMemory(20 * MB));
  expect(await changeIn(20), 'the time begins again').toBe(-20);
});

test('frees one buffer in each turn of the event loop', async () => {
  const buffers = Array.from({ length: 3 }, () => takeMemory(20 * MB));
  buffers.map(give);
  await pass(19);
  const freed = [change(() => vi.advanceTimersByTime(1_000))];
  for (let turn = 0; turn < 10; turn += 1) {
    const before = process.memoryUsage().arrayBuffers;
    await nextTurn();
    freed.push(Math.round((process.memoryUsage().arrayBuffers - before) / MB));
  }
  expect(freed.filter((megabytes) => megabytes !== 0)).toEqual([-20, -20, -20]);
});
