import sharp from 'sharp';
import { still } from '../images/still.ts';
import { wrongFiles } from '../images/wrong.ts';

/** Valid and invalid files to mutate, in variants of each format. They are small, so a mutation is likely to matter. */
export async function seedImages(): Promise<Buffer[]> {
  const png = await still('image/png', 24, 16);
  const [jpeg, gif, webp] = await Promise.all([
    still('image/jpeg', 24, 16),
    still('image/gif', 24, 16),
    still('image/webp', 24, 16),
  ]);
  const others = await Promise.all([
    sharp(png)
      .jpeg({ progressive: true })
      .withExif({ IFD0: { Artist: 'nobody' } })
      .toBuffer(),
    sharp(png).png({ palette: true }).toBuffer(),
    sharp(png).webp({ lossless: true }).toBuffer(),
    sharp(png).ensureAlpha(0.5).webp().toBuffer(),
  ]);
  return [png, jpeg, gif, webp, ...others, ...(await wrongFiles()).map(({ bytes }) => bytes)];
}
