import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

const FRAME = /^\s+at .*$/gm;
/** Where a line of a stack trace points into a file: its URL, line and column, the last two counted from 1. */
const PLACE = /(file:\/\/[^\s()]+):(\d+):(\d+)/;

/** One for each file, since reading one takes a tenth of a second and more; undefined if a file has none. */
const sourceMaps = new Map<string, SourceMap | undefined>();

/**
 * Describes an unexpected error for the log: class names, codes and places in the source, those of its causes too. Never
 * its message, which may quote what the service was shown.
 *
 * The bundle's source maps are read here, when something was thrown: enabling them in Node would cost every cold start.
 */
export function describeError(error: unknown): { readonly error: string; readonly at: readonly string[] } {
  if (!(error instanceof Error)) return { error: typeof error, at: [] };
  const chain = new Set<Error>();
  for (let each: unknown = error; each instanceof Error && !chain.has(each); each = each.cause) chain.add(each);
  return {
    error: Array.from(chain, nameOf).join(', caused by '),
    at: [...chain].flatMap(({ stack = '' }) => stack.match(FRAME) ?? []).map((frame) => inSource(frame.trim())),
  };
}

function nameOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? `${error.name} ${error.code}` : error.name;
}

function inSource(frame: string): string {
  const [place, url = '', line, column] = PLACE.exec(frame) ?? [];
  const origin = place && sourceMapOf(url)?.findOrigin(Number(line), Number(column));
  if (!origin || !('fileName' in origin)) return frame;
  const file = origin.fileName.replace(/^(?:\.\.\/)+/, '');
  return frame.replace(place, `${file}:${origin.lineNumber}:${origin.columnNumber}`);
}

function sourceMapOf(url: string): SourceMap | undefined {
  if (!sourceMaps.has(url)) sourceMaps.set(url, readSourceMap(url));
  return sourceMaps.get(url);
}

function readSourceMap(url: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')));
  } catch {
    return undefined;
  }
}
