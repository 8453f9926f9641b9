import * as fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { checkImage } from '../../src/image/check.ts';
import { IMAGE_TYPES } from '../../src/image/image.ts';
import { Problem } from '../../src/http/problem.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';
import { insert, still, stillOfSize } from '../images/still.ts';
import { type Variation, variations } from '../images/variations.ts';
import { wrongFiles } from '../images/wrong.ts';
import { FULL, some } from '../tier.ts';

/** The variations that checkImage rejects although sharp decodes them, and why. */
const STRICTER: readonly (readonly [name: RegExp, code: string, why: string])[] = [
  [/^PNG.*IEND/, 'corrupt_image', 'a valid end marker is required, as model providers do'],
  [/^PNG.*before, IHDR/, 'corrupt_image', 'a PNG begins with its header: https://www.w3.org/TR/png-3/#5ChunkOrdering'],
  [/: twice, (picture|ANMF)|^animated|^APNG/, 'animated_image', 'sharp shows the first of two frames'],
];

test('accepts exactly those of hundreds of variations that a decoder accepts, with the same dimensions', async () => {
  const all = some([...(await variations()), ...(await others())], 3);
  expect(all.length).toBeGreaterThan(FULL ? 500 : 160);
  const differences: string[] = [];
  const excused = new Set<string>();
  for (const variation of all) {
    const [here, there] = await Promise.all([verdict(variation.bytes), decoded(variation.bytes)]);
    const reason = STRICTER.find(([name, code]) => name.test(variation.name) && here.startsWith(code));
    const same = there === undefined ? !here.startsWith('image') : here === `image of ${there}`;
    if (!same && reason) excused.add(reason[2]);
    if (!same && !reason) differences.push(`${variation.name}: ${here}, for sharp ${there ?? 'broken'}`);
  }
  expect(differences).toEqual([]);
  expect(excused.size).toBeGreaterThanOrEqual(FULL ? STRICTER.length : 1);
}, 120_000);

test('accepts a JPEG with any stray bytes between its segments', async () => {
  const jpeg = await still('image/jpeg', 40, 30);
  const starts = segmentStarts(jpeg);
  const stray = fc.array(fc.oneof(fc.integer({ min: 0, max: 0xfe }), fc.constantFrom(0xff00, 0xff01, 0xffd0, 0xffd7)));
  const isAccepted = async (at: number, values: readonly number[]): Promise<void> => {
    const bytes = Buffer.from(values.flatMap((value) => (value > 0xff ? [value >> 8, value & 0xff] : [value])));
    expect(await verdict(insert(jpeg, at, bytes))).toBe('image of 40 x 30');
  };
  await fc.assert(fc.asyncProperty(fc.constantFrom(...starts), stray, isAccepted), runs(INPUTS));
});

test('accepts a GIF with any bytes after its picture that do not begin another block', async () => {
  const gif = await still('image/gif', 40, 30);
  const end = gif.length - 1;
  const junk = fc.uint8Array({ maxLength: 50 }).filter(([first]) => first !== 0x21 && first !== 0x2c);
  const isAccepted = async (bytes: Uint8Array, hasTrailer: boolean): Promise<void> => {
    const made = Buffer.concat([gif.subarray(0, end), bytes, gif.subarray(hasTrailer ? end : gif.length)]);
    expect(await verdict(made)).toBe('image of 40 x 30');
    expect(await decoded(made)).toBe('40 x 30');
  };
  await fc.assert(fc.asyncProperty(junk, fc.boolean(), isAccepted), runs(INPUTS));
});

/** Images of other sizes, and damaged ones. */
async function others(): Promise<Variation[]> {
  const stills = IMAGE_TYPES.map(async (type) => [
    { name: type, bytes: await still(type, 3001, 7) },
    { name: `${type} of 100 kB`, bytes: await stillOfSize(type, 100_000) },
  ]);
  const wrong = (await wrongFiles()).filter(({ code }) => code !== 'unsupported_image_type');
  return [...(await Promise.all(stills)).flat(), ...wrong];
}

async function verdict(bytes: Buffer): Promise<string> {
  try {
    const { width, height } = await checkImage(bytes);
    return `image of ${width} x ${height}`;
  } catch (error) {
    if (error instanceof Problem) return `${error.code}: ${error.detail}`;
    throw error;
  }
}

/** The dimensions of the image that sharp decodes; undefined if it reports an error. Warnings do not count. */
async function decoded(bytes: Buffer): Promise<string | undefined> {
  try {
    const { info } = await sharp(bytes, { failOn: 'error' }).raw().toBuffer({ resolveWithObject: true });
    return `${info.width} x ${info.height}`;
  } catch {
    return undefined;
  }
}

/** Where segments begin, up to the first scan. */
function segmentStarts(jpeg: Buffer): number[] {
  const starts = [2];
  for (let at = 2; jpeg[at + 1] !== 0xda; starts.push(at)) at += 2 + jpeg.readUInt16BE(at + 2);
  return starts;
}
