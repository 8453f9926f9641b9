import * as fc from 'fast-check';
import { fileTypeFromBuffer } from 'file-type';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { checkImage } from '../../src/image/check.ts';
import { IMAGE_TYPES } from '../../src/image/image.ts';
import { Admission } from '../../src/http/admission.ts';
import { Deadline } from '../../src/http/deadline.ts';
import { Problem } from '../../src/http/problem.ts';
import { ImageReader } from '../../src/image/image-reader.ts';
import { mutate, mutation } from '../fuzz/mutation.ts';
import { INPUTS, runs } from '../fuzz/runs.ts';
import { seedImages } from '../fuzz/seeds.ts';
import { SAILBOAT, tiledHeic } from '../images/heif.ts';
import { still, turned } from '../images/still.ts';

const seeds = await seedImages();
const CODES = ['empty_image', 'unsupported_image_type', 'animated_image', 'corrupt_image'];

test('a mutated image is accepted with dimensions or rejected with a documented problem', async () => {
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([seed, mutations]) => mutate(seed, mutations, seeds));
  await fc.assert(fc.asyncProperty(mutated, expectTypeOrProblem), runs(INPUTS * 5));
});

test('so are the first bytes of an image with random bytes after them', async () => {
  const begun = fc
    .tuple(fc.constantFrom(...seeds), fc.nat(40), fc.uint8Array({ maxLength: 200 }))
    .map(([seed, length, rest]) => Buffer.concat([seed.subarray(0, length), rest]));
  await fc.assert(fc.asyncProperty(begun, expectTypeOrProblem), runs(INPUTS * 5));
});

test('checkImage detects the same type of image as file-type', async () => {
  const signed = fc
    .tuple(
      fc.constantFrom('ffd8ff', '474946383761', '474946383961', '52494646'),
      fc.uint8Array({ minLength: 13, maxLength: 60 }),
      fc.boolean(),
    )
    .map(([head, rest, isWebp]) =>
      Buffer.concat([
        Buffer.from(head, 'hex'),
        rest.subarray(0, isWebp ? 4 : 12),
        Buffer.from(isWebp ? 'WEBP' : ''),
        rest,
      ]),
    );
  const agrees = async (bytes: Buffer): Promise<void> => {
    const [here, there] = await Promise.all([typeOf(bytes), fileTypeFromBuffer(bytes)]);
    expect(IMAGE_TYPES.find((type) => type === there?.mime)).toBe(here);
  };
  await fc.assert(fc.asyncProperty(signed, agrees), runs(INPUTS * 5));
});

test('a mutated image that has to be decoded is read or rejected with a documented problem', async () => {
  const png = await still('image/png', 64, 48);
  const pictures = [
    SAILBOAT,
    tiledHeic({ columns: 2, rows: 1, turns: 1 }),
    await sharp(png).avif().toBuffer(),
    await sharp(png).tiff({ compression: 'lzw' }).toBuffer(),
    await turned(await still('image/jpeg', 64, 48)),
    await turned(await still('image/webp', 64, 48)),
  ];
  const limits = { workers: 2, maxMemoryBytes: 128 * 1024 ** 2 };
  const reader = new ImageReader({ prepareImages: true, maxImageBytes: 1024 ** 2 }, limits);
  const mutated = fc
    .tuple(fc.constantFrom(...pictures), fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([seed, mutations]) => mutate(seed, mutations, pictures));
  const expectImageOrProblem = async (bytes: Buffer): Promise<void> => {
    const deadline = new Deadline(60_000);
    const reservation = new Admission(1024 ** 3).enter();
    try {
      const {
        type,
        width,
        height,
        bytes: sent,
      } = await reader.forRequest({ deadline, reservation })(Buffer.from(bytes));
      expect(await checkImage(sent)).toMatchObject({ type, width, height, orientation: 1 });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      expect([...CODES, 'image_too_large']).toContain(error.code);
    } finally {
      deadline.clear();
      reservation.leave();
    }
  };
  await fc.assert(fc.asyncProperty(mutated, expectImageOrProblem), runs(INPUTS / 100));
});

test('a JPEG-LS is not accepted as a JPEG', async () => {
  await expect(checkImage(Buffer.from('ffd8fff7000b0800080008', 'hex'))).rejects.toMatchObject({
    code: 'unsupported_image_type',
    members: { detected: 'image/jls' },
  });
});

/** The type that checkImage detects, even if the image is damaged; undefined if it is not an image. */
async function typeOf(bytes: Buffer): Promise<string | undefined> {
  try {
    return (await checkImage(bytes)).type;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code === 'unsupported_image_type') return undefined;
    return IMAGE_TYPES.find((type) => error.detail.toLowerCase().includes(type.slice('image/'.length)));
  }
}

async function expectTypeOrProblem(bytes: Buffer): Promise<void> {
  try {
    const { type, width, height } = await checkImage(bytes);
    expect(IMAGE_TYPES).toContain(type);
    expect(width > 0 && height > 0 && Number.isInteger(width) && Number.isInteger(height)).toBe(true);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(CODES).toContain(error.code);
  }
}
