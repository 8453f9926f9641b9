import type { FileHandle } from 'node:fs/promises';
import type { Answer } from './ask-image.ts';

/** A file format for answers. */
export interface Format {
  /** The text before the first answer. */
  readonly head: string;
  /** Formats an answer to append to the file. */
  line(file: string, answer: Answer): string;
  /**
   * Reads a file from its start.
   * @returns the images that have answers, and the end of the last complete answer in bytes; 0 if the head is cut off
   * @throws {Error} if the file has other content
   */
  read(file: FileHandle): Promise<{ answered: Set<string>; end: number }>;
}
