import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Answer } from './ask-image.ts';
import { csvFormat } from './csv.ts';
import { ndjsonFormat } from './ndjson.ts';

/** An open file to which answers are appended. */
export interface AnswerFile {
  /** Returns whether the file has an answer for an image. */
  has(name: string): boolean;
  /**
   * Appends an answer. When it resolves, the operating system has the answer, so that it survives if the process ends.
   */
  add(name: string, answer: Answer): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens or creates a file of answers: CSV if its name ends in .csv, or else NDJSON. It removes an incomplete last
 * answer, which is left if the process was killed while writing.
 *
 * @throws {Error} if the file has other content. The file is then left unchanged
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
      // Append one answer after the other, because concurrent appends could mix.
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
