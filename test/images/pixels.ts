import sharp, { type Sharp } from 'sharp';

/** The pixels of an image as a viewer shows them, in red, green, blue and alpha. Its colour profile is not applied. */
export async function pixelsOf(image: Buffer | Sharp): Promise<{ width: number; height: number; data: Buffer }> {
  const picture = Buffer.isBuffer(image) ? sharp(image, { ignoreIcc: true }) : image;
  const { data, info } = await picture
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

/**
 * How much two images differ, from 0 to 255: the mean difference of a colour channel where the second one is visible,
 * and the mean difference of the alpha channel. Both are Infinity if the images differ in size.
 */
export async function difference(
  actual: Buffer,
  expected: Buffer | Sharp,
): Promise<{ readonly colour: number; readonly alpha: number }> {
  const [a, b] = [await pixelsOf(actual), await pixelsOf(expected)];
  if (a.width !== b.width || a.height !== b.height) return { colour: Infinity, alpha: Infinity };
  let colour = 0;
  let alpha = 0;
  let visible = 0;
  for (let at = 0; at < b.data.length; at += 4) {
    const [, , , opacity = 0] = b.data.subarray(at, at + 4);
    alpha += Math.abs((a.data[at + 3] ?? 0) - opacity);
    if (opacity < 8) continue;
    visible += 1;
    for (let channel = at; channel < at + 3; channel += 1)
      colour += Math.abs((a.data[channel] ?? 0) - (b.data[channel] ?? 0));
  }
  return { colour: colour / (3 * Math.max(1, visible)), alpha: (4 * alpha) / b.data.length };
}
