import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

const FRAME = /^\s+at .*$/gm;
/** The place that a line of a stack trace names: the file's URL, the line and the column, both counted from 1. */
const PLACE = /(file:\/\/[^\s()]+):(\d+):(\d+)/;

/** Source maps by the URL of their file, because reading one takes 0.1 s or more. Undefined if a file has none. */
const sourceMaps = new Map<string, SourceMap | undefined>();

/**
 * Describes an unexpected error and its causes for the log, by class name, code and place in the source. It leaves out
 * the messages, which may quote images, instructions or answers.
 *
 * It reads the bundle's source maps only when it needs them. Node's own support for them would slow down every cold
 * start.
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
