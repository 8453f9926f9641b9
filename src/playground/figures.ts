const KB = 1024;
const MB = KB * KB;

/** Formats a number of bytes for people: `812 bytes`, `20 KB`, `3.4 MB`. A KB has 1,024 bytes. */
export function sizeInWords(bytes: number): string {
  if (bytes < KB) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  if (bytes < 1000 * KB) return `${Math.round(bytes / KB)} KB`;
  return `${Number((bytes / MB).toFixed(1))} MB`;
}

/** The times of a question, in milliseconds since it was asked. */
export interface Timings {
  readonly sent?: number;
  readonly firstWords?: number;
  readonly ended: number;
}

/** Formats a duration for people: `320 ms`, `1.4 s`. */
export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Reads the stages of a Server-Timing header: https://www.w3.org/TR/server-timing/ */
export function stagesOf(serverTiming: string): { name: string; milliseconds: number }[] {
  return [...serverTiming.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name = '', milliseconds]) => ({
    name,
    milliseconds: Number(milliseconds),
  }));
}
