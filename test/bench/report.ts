import { check } from './checks.ts';
import type { Cell } from './rounds.ts';
import type { Load } from './plan.ts';
import type { Results } from './run.ts';
import { nameOf as nameOfServed } from './served-checks.ts';
import { type Side, SIDES } from './side.ts';
import { type Row, table } from './table.ts';

const FIGURES: readonly { readonly title: string; readonly of: (cell: Cell) => number }[] = [
  { title: 'Requests per second', of: ({ perSecond }) => perSecond },
  { title: 'Added latency, median, ms', of: ({ addedP50Ms }) => addedP50Ms },
  { title: 'Added latency, 99th percentile, ms', of: ({ addedP99Ms }) => addedP99Ms },
  { title: 'CPU seconds per 1,000 requests', of: ({ cpuSecondsPer1000 }) => cpuSecondsPer1000 },
  { title: 'Peak memory over idle, MB', of: ({ rssOverIdleMb }) => rssOverIdleMb },
  { title: 'Longest block of the event loop, ms', of: ({ longestBlockMs }) => longestBlockMs },
  {
    title: 'Longest work of the main thread in one turn of the event loop, ms',
    of: ({ longestWorkMs }) => longestWorkMs,
  },
];

/** Returns all results as Markdown that is also readable in a terminal. */
export function report(results: Results): string {
  const skipped = results.skipped.map(({ side, reason, ...load }) => `${side}, ${nameOf(load)}: ${reason}`);
  const megapixels = results.pictures[0]?.megapixels.toFixed(1);
  const parts = [
    `${introduction(results)}\n`,
    ...FIGURES.map(({ title, of }) => `### ${title}\n\n${figureTable(results.cells, of)}`),
    ...(skipped.length > 0 ? [`Left out: ${skipped.join('; ')}.\n`] : []),
    `### The server and other ways to serve\n\n${servedTable(results)}`,
    `### Pictures of ${megapixels} megapixels, one at a time\n\n${pictureTable(results)}`,
    `### Cold start, medians, ms\n\n${coldStartTable(results)}`,
    `### What was promised\n\n${checkTable(results)}`,
  ];
  return parts.join('\n');
}

/** The rows of the README's table. `figure` is an index of {@link FIGURES}. */
const SHOWN = [
  { figure: 0, load: { megabytes: 1, concurrency: 8 } },
  { figure: 0, load: { megabytes: 20, concurrency: 8 } },
  { figure: 1, load: { megabytes: 1, concurrency: 1 } },
  { figure: 3, load: { megabytes: 1, concurrency: 8 } },
  { figure: 3, load: { megabytes: 20, concurrency: 8 } },
  { figure: 4, load: { megabytes: 20, concurrency: 1 } },
  { figure: 4, load: { megabytes: 20, concurrency: 32 } },
  { figure: 5, load: { megabytes: 20, concurrency: 1 } },
];
/** `npm run bench` replaces what the README has between these two comments. */
const BEGIN = '<!-- Written by npm run bench. -->';
const END = '<!-- End of what npm run bench writes. -->';

/**
 * Returns a document with the short table of a run between the two comments.
 * @throws {Error} if the document does not have both comments
 */
export function withFigures(document: string, { cells, machine }: Results): string {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the document must have '${BEGIN}' and '${END}'`);
  const rows = SHOWN.flatMap(({ figure, load }): Row[] => {
    const shown = FIGURES[figure];
    const at = cells.filter((cell) => nameOf(cell) === nameOf(load));
    if (!shown || at.length === 0) return [];
    const of = (side: Side): string => {
      const cell = at.find((each) => each.side === side);
      return cell ? number(shown.of(cell)) : '';
    };
    return [[shown.title, nameOf(load), ...SIDES.map(of)]];
  });
  const ran = `Measured on ${machine.day} with ${machine.cores} cores, ${machine.memoryGb} GB, Node ${machine.node}.`;
  return `${before}${BEGIN}\n\n${table(['', 'load', ...SIDES], rows)}\n${ran}\n\n${END}${after}`;
}

function introduction({ machine, minutes, plan }: Results): string {
  const { cores, memoryGb, node, system, loadBefore } = machine;
  return [
    `${cores} cores, ${memoryGb} GB of memory, ${system}, Node ${node}. Load average before the run: ${loadBefore}.`,
    `This is a ${plan} run. It took ${minutes.toFixed(1)} minutes.`,
    'Each side runs in its own process behind the HTTP server of `@azure/functions`.',
    'The client and the upstream run on the same machine. 1 MB is 1,048,576 bytes of image.',
    'Added latency is the latency minus that of direct calls of the upstream with a ready-made body.',
    'Memory over idle is the peak minus the memory of a process that has answered a few small requests.',
    'Each load runs for a while before it is measured. The slow requests run once before.',
    'A full run has two rounds of each load. It shows the means of both, the higher memory and own work,',
    'and the shorter of the longest blocks: a block in only one round is mostly caused by another process.',
  ].join('\n');
}

function figureTable(cells: readonly Cell[], figure: (cell: Cell) => number): string {
  const names = [...new Set(cells.map(nameOf))];
  const rows = names.map((name): Row => {
    const figures = SIDES.map((side) => cells.find((cell) => cell.side === side && nameOf(cell) === name)).map(
      (cell) => (cell ? number(figure(cell)) : ''),
    );
    return [name].concat(figures);
  });
  return table(['load', ...SIDES], rows);
}

function coldStartTable({ coldStarts }: Results): string {
  const rows = coldStarts.map(({ form, ...ms }): Row => [
    form,
    ...[ms.registrationMs, ms.firstAnswerMs, ms.processToAnswerMs, ms.laterAnswerMs].map(number),
  ]);
  return table(
    [
      '',
      'import to registration',
      'import to first answer',
      'process to first answer',
      'first answer, asked 0.5 s later',
    ],
    rows,
  );
}

/** The memory is that of the whole process, not only what is over idle. */
function servedTable({ served: { costs } }: Results): string {
  const rows = costs.map((cost): Row => [
    nameOfServed(cost),
    cost.way,
    ...[cost.cpuMs, cost.idleMb, cost.peakMb].map(number),
  ]);
  return table(['load', '', 'CPU per request, ms', 'idle, MB', 'peak, MB'], rows);
}

function pictureTable({ pictures }: Results): string {
  const rows = pictures.map(({ name, cpuMs, rssOverIdleMb }): Row => [name, number(cpuMs), number(rssOverIdleMb)]);
  return table(['', 'CPU per request, ms', 'peak memory over idle, MB'], rows);
}

function checkTable(results: Results): string {
  const rows = check(results).map(({ promise, measured, kept }): Row => [promise, measured, kept ? 'pass' : 'FAIL']);
  return table(['promise', 'measured', ''], rows);
}

function nameOf({ megabytes, concurrency }: Load): string {
  return `${megabytes} MB, ${concurrency} at once`;
}

/** One decimal below 10, and none from 10 on. More would claim a precision that the figures do not have. */
function number(value: number): string {
  if (!Number.isFinite(value)) return '';
  return value.toFixed(Math.abs(value) < 10 ? 1 : 0);
}
