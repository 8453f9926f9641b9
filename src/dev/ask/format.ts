import type { FileHandle } from 'node:fs/promises';
import type { Answer } from './ask-image.ts';

/** How answers stand in a file. */
export interface Format {
  /** What stands before the first answer. */
  readonly head: string;
  /** An answer as it is appended to the file. */
  line(file: string, answer: Answer): string;
  /**
   * Reads a file from its start.
   * @returns which images it has answers for, and where the last whole answer ends, in bytes; 0 if the head is cut off
   * @throws Error if the file has something else in it
   */
  read(file: FileHandle): Promise<{ answered: Set<string>; end: number }>;
}
