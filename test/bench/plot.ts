import { chart, type Line, type Scale } from './chart.ts';
import type { Cell } from './rounds.ts';
import type { Results } from './run.ts';
import type { Side } from './side.ts';

const WIDTH = 840;
const HEIGHT = 640;
const PANEL = { width: 400, height: 272 };
/** The sides that are drawn, and their names in the legend. */
export const DRAWN = {
  tutorial: "the tutorial's way",
  'shared client': "one shared client, the SDK's JSON",
  'this project': 'this project',
  floor: 'the floor: a ready-made request',
} as const satisfies Partial<Record<Side, string>>;

/** Where the entries of the legend start, in pixels from the left. The gaps fit the lengths of the names. */
const LEGEND_AT = [30, 180, 445, 590];

const LIGHT = {
  page: '#fff',
  text: '#1f2328',
  faint: '#59636e',
  grid: '#d8dee4',
  sides: ['#c2410c', '#a16207', '#0969da', '#59636e'],
};
const DARK = {
  page: '#0d1117',
  text: '#e6edf3',
  faint: '#9198a1',
  grid: '#30363d',
  sides: ['#ff8c5a', '#e3b341', '#58a6ff', '#9198a1'],
};
const STYLE = `text { font: 12px system-ui, sans-serif } .title { font-weight: 600; font-size: 13px }
path { fill: none; stroke-width: 2 } .grid { stroke-width: 1 } path.s2 { stroke-width: 3.5 } path.s3 { stroke-dasharray: 5 4 }
${colours(LIGHT)}
@media (prefers-color-scheme: dark) { ${colours(DARK)} }`;

const SIZE: Scale = { ticks: [0.1, 1, 10, 20], label: 'MB of image' };
const AT_ONCE: Scale = { ticks: [1, 8, 32], label: 'requests at once' };

/** Draws four charts of a run as SVG. Three are by the size of the image, the memory is by the requests at once. */
export function plot({ cells, machine }: Results): string {
  const bySize = (concurrency: number, figure: (cell: Cell) => number) =>
    lines(
      cells.filter((cell) => cell.concurrency === concurrency),
      ({ megabytes }) => megabytes,
      figure,
    );
  const at20 = cells.filter(({ megabytes }) => megabytes === 20);
  const panels = [
    chart({
      ...PANEL,
      title: 'Requests per second, 8 at once',
      x: SIZE,
      lines: bySize(8, ({ perSecond }) => perSecond),
    }),
    chart({
      ...PANEL,
      title: 'CPU seconds per 1,000 requests, 8 at once',
      x: SIZE,
      lines: bySize(8, ({ cpuSecondsPer1000 }) => cpuSecondsPer1000),
    }),
    chart({
      ...PANEL,
      title: 'Peak memory over idle, MB, for images of 20 MB',
      x: AT_ONCE,
      lines: lines(
        at20,
        ({ concurrency }) => concurrency,
        ({ rssOverIdleMb }) => rssOverIdleMb,
      ),
    }),
    chart({
      ...PANEL,
      title: 'Longest block of the event loop, ms, one at a time',
      x: SIZE,
      lines: bySize(1, ({ longestBlockMs }) => longestBlockMs),
    }),
  ];
  const placed = panels.map(
    (panel, at) => `<g transform="translate(${10 + (at % 2) * 420} ${50 + Math.floor(at / 2) * 285})">${panel}</g>`,
  );
  const footer = `${machine.cores} cores, ${machine.memoryGb} GB, Node ${machine.node}; logarithmic scales`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Benchmark results">
<style>${STYLE}
</style>
<rect class="page" width="100%" height="100%" rx="6"/>
${legend()}
${placed.join('\n')}
<text class="faint" x="${WIDTH - 20}" y="${HEIGHT - 12}" text-anchor="end">${footer}</text>
</svg>
`;
}

function lines(cells: readonly Cell[], x: (cell: Cell) => number, y: (cell: Cell) => number): Line[] {
  return Object.keys(DRAWN).map((side, at) => ({
    style: `s${at}`,
    points: cells.filter((cell) => cell.side === side).map((cell): [number, number] => [x(cell), y(cell)]),
  }));
}

function legend(): string {
  return Object.values(DRAWN)
    .map(
      (name, at) =>
        `<path class="s${at}" d="M${LEGEND_AT[at]} 24h24"/>` +
        `<text x="${(LEGEND_AT[at] ?? 0) + 30}" y="28">${name}</text>`,
    )
    .join('\n');
}

function colours({ page, text, faint, grid, sides }: typeof LIGHT): string {
  const ofSides = sides.map((colour, at) => `path.s${at} { stroke: ${colour} } circle.s${at} { fill: ${colour} }`);
  return [
    `.page { fill: ${page} } text { fill: ${text} } .faint { fill: ${faint} } .grid { stroke: ${grid} }`,
    ...ofSides,
  ].join(' ');
}
