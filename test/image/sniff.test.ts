import sharp from 'sharp';
import { expect, test } from 'vitest';
import { checkImage } from '../../src/image/check.ts';
import { still } from '../images/still.ts';

async function detected(bytes: Buffer): Promise<unknown> {
  try {
    await checkImage(bytes);
    return 'accepted as an image';
  } catch (error) {
    expect(error).toMatchObject({ code: 'unsupported_image_type' });
    return (error as { members: { detected: unknown } }).members.detected;
  }
}

function file(major: string, ...brands: readonly string[]): Buffer {
  const box = Buffer.alloc(16 + 4 * brands.length);
  box.writeUInt32BE(box.length);
  box.write(`ftyp${major}`, 4, 'latin1');
  box.write(brands.join(''), 16, 'latin1');
  return Buffer.concat([box, Buffer.from('000000086d646174', 'hex')]);
}

test.each([
  ['image/heic', file('heic', 'mif1', 'heic')],
  ['image/heic', file('mif1', 'heic', 'miaf')],
  ['image/heic', file('heis')],
  ['image/heic', file('heim', 'mif1')],
  ['image/heic', file('isom', 'mp41', 'heix')],
  ['image/heic', file('MiHB', 'mif1', 'heic')],
  ['image/heic-sequence', file('hevm', 'msf1')],
  ['image/heif', file('mif2', 'miaf')],
  ['image/heif', file('jpeg', 'mif1')],
  ['image/heif-sequence', file('msf1')],
  ['image/avif', file('avif', 'mif1', 'heic')],
  ['image/avif', file('mif1', 'avif')],
  ['video/mp4', file('isom', 'iso2', 'avc1', 'mp41')],
  ['video/quicktime', file('qt  ')],
])('detects %s by all brands of the file', async (mime, bytes) => {
  expect(await detected(bytes)).toBe(mime);
});

test('detects a TIFF wherever its directory is', async () => {
  const raw = { raw: { width: 200, height: 100, channels: 3 as const } };
  for (const bigtiff of [false, true])
    expect(
      await detected(await sharp(Buffer.alloc(60_000), raw).tiff({ compression: 'none', bigtiff }).toBuffer()),
    ).toBe('image/tiff');
  expect(await detected(Buffer.from(`4d4d002a00ffff00${'00'.repeat(9000)}`, 'hex'))).toBe('image/tiff');
});

const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';
const svgs = [
  svg,
  `\ufeff${svg}`,
  `\r\n\t ${svg}`,
  `<?xml version="1.0"?>${svg}`,
  `<?xml version="1.0"?>\n<!-- made by hand -->\n<!--twice-->${svg}`,
  `<!-- ${'x'.repeat(5000)} --><svg>`,
  `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd" [<!ENTITY a "b">]>${svg}`,
  '<svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>',
  '<SVG\nwidth="1">',
].map((text) => ({ text, start: text.slice(0, 40) }));

test.each(svgs)('detects an SVG in UTF-8 and UTF-16: $start', async ({ text }) => {
  expect(await detected(Buffer.from(text))).toBe('image/svg+xml');
  expect(await detected(Buffer.from(`\ufeff${text}`, 'utf16le'))).toBe('image/svg+xml');
});

test.each(['<svgfoo>', '<html><svg/></html>', 'svg', '<!-- <svg/>', '<!-- -->'])(
  'does not detect an SVG in %s',
  async (text) => {
    expect(await detected(Buffer.from(text))).not.toBe('image/svg+xml');
  },
);

test('returns null for an unknown type', async () => {
  expect(await detected(Buffer.from('Dear Sir or Madam'))).toBeNull();
  expect(await detected(Buffer.from([0x49]))).toBeNull();
});

test('rejects a GIF of an unknown version as corrupt', async () => {
  const gif = await still('image/gif', 8, 8);
  for (const version of ['GIF90a', 'GIF79a', 'GIFxyz']) {
    gif.write(version, 0, 'latin1');
    await expect(checkImage(gif)).rejects.toMatchObject({ code: 'corrupt_image' });
  }
});
