/** A colour as red, green and blue, from 0 to 255 each. */
type Rgb = [red: number, green: number, blue: number];

const palette: Record<string, Rgb> = {
  black: [0, 0, 0],
  'dark grey': [80, 80, 80],
  grey: [128, 128, 128],
  'light grey': [200, 200, 200],
  white: [255, 255, 255],
  red: [220, 30, 30],
  'dark red': [120, 10, 10],
  orange: [255, 140, 0],
  gold: [230, 190, 60],
  yellow: [255, 240, 50],
  beige: [235, 220, 185],
  peach: [250, 190, 140],
  tan: [190, 145, 105],
  brown: [115, 70, 35],
  olive: [120, 120, 30],
  green: [30, 150, 50],
  'dark green': [15, 75, 25],
  'light green': [150, 220, 140],
  teal: [0, 128, 128],
  turquoise: [64, 210, 205],
  'sky blue': [135, 206, 235],
  'steel blue': [70, 130, 180],
  'slate blue': [60, 85, 120],
  blue: [30, 60, 220],
  navy: [15, 25, 90],
  purple: [128, 30, 150],
  lavender: [200, 180, 235],
  pink: [250, 160, 190],
  magenta: [230, 30, 200],
};

/** The weight of a grey pixel. The weight of a fully saturated pixel is higher by 1. */
const GREY_WEIGHT = 0.3;

/**
 * Returns the name of the main colour of these pixels (RGBA, four bytes each). Vivid pixels have a higher weight,
 * because people notice them more: a sunset is orange, although most of its pixels are dark.
 */
export function mainColour(rgba: Buffer): string {
  const votes = new Map<string, number>();
  for (let i = 0; i + 3 < rgba.length; i += 4) {
    const [red = 0, green = 0, blue = 0, alpha = 0] = rgba.subarray(i, i + 4);
    const name = alpha < 128 ? 'transparent' : nearest([red, green, blue]);
    const vividness = (Math.max(red, green, blue) - Math.min(red, green, blue)) / 255;
    votes.set(name, (votes.get(name) ?? 0) + GREY_WEIGHT + vividness);
  }
  return [...votes].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? 'transparent';
}

function nearest(colour: Rgb): string {
  const [name] = Object.entries(palette)
    .map(([known, rgb]): [string, number] => [known, distance(colour, rgb)])
    .reduce((best, next) => (next[1] < best[1] ? next : best));
  return name;
}

/** The 'redmean' colour distance. It is as cheap as plain RGB, and much closer to how people see differences. */
function distance([r1, g1, b1]: Rgb, [r2, g2, b2]: Rgb): number {
  const red = (r1 + r2) / 2;
  return (2 + red / 256) * (r1 - r2) ** 2 + 4 * (g1 - g2) ** 2 + (2 + (255 - red) / 256) * (b1 - b2) ** 2;
}
