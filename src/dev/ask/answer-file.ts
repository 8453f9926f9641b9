import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Answer } from './ask-image.ts';
import { csvFormat } from './csv.ts';
import { ndjsonFormat } from './ndjson.ts';

/** A file of answers, which is added to. */
export interface AnswerFile {
  /** Whether it has an answer about an image. */
  has(name: string): boolean;
  /** Appends an answer; it is in the file when this resolves, whatever happens to the process then. */
  add(name: string, answer: Answer): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a file of answers, or makes it: CSV if its name ends in .csv, else NDJSON. An answer at its end that was cut off,
 * because the process was killed while it wrote, is removed.
 *
 * @throws Error if the file has something else in it; it is then left as it is
 */
export async function openAnswers(path: string, schema: Record<string, unknown> | undefined): Promise<AnswerFile> {
  const format = extname(path).toLowerCase() === '.csv' ? csvFormat(schema) : ndjsonFormat;
  const file = await open(path, 'a+');
  let answered: Set<string>;
  try {
    const found = await format.read(file);
    answered = found.answered;
    await file.truncate(found.end);
    if (found.end === 0) await file.appendFile(format.head);
  } catch (error) {
    await file.close();
    throw new Error(`${path} is not a file of answers to this question. Choose another: --out FILE`, { cause: error });
  }
  let writing = Promise.resolve();
  return {
    has: (name) => answered.has(name),
    async add(name, answer) {
      // One after the other: two appends at once could mix.
      writing = writing.then(async () => file.appendFile(format.line(name, answer)));
      await writing;
      answered.add(name);
    },
    async close() {
      await writing;
      await file.close();
    },
  };
}
