const KB = 1024;
const MB = KB * KB;

/** A number of bytes as people say it: `812 bytes`, `20 KB`, `3.4 MB`. */
export function sizeInWords(bytes: number): string {
  if (bytes < KB) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  if (bytes < 1000 * KB) return `${Math.round(bytes / KB)} KB`;
  return `${Number((bytes / MB).toFixed(1))} MB`;
}
