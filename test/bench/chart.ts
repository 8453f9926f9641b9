/** The values of an axis that get a mark, in ascending order, and the label of the axis. */
export interface Scale {
  readonly ticks: readonly number[];
  readonly label: string;
}

/** A line through points, in this order. */
export interface Line {
  /** The CSS class of the line and its points. */
  readonly style: string;
  readonly points: readonly [x: number, y: number][];
}

/** A line chart with logarithmic axes. The sizes are in pixels. */
export interface Chart {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly x: Scale;
  readonly lines: readonly Line[];
}

/** Space around the plotted area, in pixels. */
const LEFT = 52;
const RIGHT = 16;
const TOP = 28;
const BOTTOM = 44;

/** Draws a chart as SVG, with its upper left corner at 0 0. */
export function chart({ width, height, title, x, lines }: Chart): string {
  const decades = decadesOf(lines.flatMap(({ points }) => points.map(([, y]) => y)));
  const toX = logarithmic(x.ticks, LEFT, width - RIGHT);
  const toY = logarithmic(decades, height - BOTTOM, TOP);
  const bottom = height - BOTTOM;
  return [
    `<text class="title" x="0" y="12">${title}</text>`,
    ...decades.map(
      (y) =>
        `<path class="grid" d="M${LEFT} ${toY(y)}H${width - RIGHT}"/>` +
        `<text class="faint" x="${LEFT - 6}" y="${toY(y) + 4}" text-anchor="end">${y.toLocaleString('en')}</text>`,
    ),
    ...x.ticks.map(
      (tick) => `<text class="faint" x="${toX(tick)}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`,
    ),
    `<text class="faint" x="${(LEFT + width - RIGHT) / 2}" y="${bottom + 36}" text-anchor="middle">${x.label}</text>`,
    ...lines.map(({ style, points }) =>
      draw(
        style,
        points.map(([atX, atY]) => [toX(atX), toY(Math.max(atY, decades[0] ?? 1))]),
      ),
    ),
  ].join('\n');
}

function draw(style: string, points: readonly (readonly [number, number])[]): string {
  if (points.length === 0) return '';
  const path = points.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${x} ${y}`).join('');
  const dots = points.map(([x, y]) => `<circle class="${style}" cx="${x}" cy="${y}" r="3.5"/>`);
  return `<path class="${style}" d="${path}"/>${dots.join('')}`;
}

/** The powers of ten that enclose all positive values. They include at least 1 and 10. */
function decadesOf(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0);
  const first = Math.floor(Math.log10(Math.min(...positive, 1)));
  const last = Math.ceil(Math.log10(Math.max(...positive, 10)));
  return Array.from({ length: last - first + 1 }, (_, at) => 10 ** (first + at));
}

/** Returns a function that maps the range of the ticks to pixels, rounded to a tenth. */
function logarithmic(ticks: readonly number[], from: number, to: number): (value: number) => number {
  const [first, last] = [Math.log10(ticks[0] ?? 1), Math.log10(ticks.at(-1) ?? 10)];
  return (value) => Math.round((from + ((Math.log10(value) - first) / (last - first)) * (to - from)) * 10) / 10;
}
