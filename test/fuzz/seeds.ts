import sharp from 'sharp';
import { still } from '../images/still.ts';
import { wrongFiles } from '../images/wrong.ts';

/** Real files to start from: each format in its varieties, small so that a change is likely to hit something that matters. */
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
