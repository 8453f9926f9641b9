import { relative, sep } from 'node:path';
import { imageFiles } from '../start/image-files.ts';
import type { AnswerFile } from './answer-file.ts';
import { askImage, Pause, type Question } from './ask-image.ts';
import { showProgress } from './progress.ts';

interface Work {
  folder: string;
  question: Question;
  answers: AnswerFile;
  concurrency: number;
  url: string;
  /** When it is aborted, questions in progress are finished, and no further image is asked about. */
  stop: AbortSignal;
}

/** Asks about all images of a folder that have no answer yet. Returns the images that failed. */
export async function askFolder(work: Work): Promise<{ failures: { file: string; reason: string }[] }> {
  const { folder, question, answers, concurrency, url, stop } = work;
  const failures: { file: string; reason: string }[] = [];
  const progress = showProgress();
  for await (const file of imageFiles(folder)) progress.found(answers.has(nameOf(file)));

  const files = imageFiles(folder);
  const pause = new Pause();
  progress.start();
  await Promise.all(Array.from({ length: concurrency }, worker));
  await files.return(undefined);
  progress.end(stop.aborted);
  return { failures };

  async function worker(): Promise<void> {
    // The workers share one iterator, so each takes the next file.
    for (let next = await files.next(); !next.done && !stop.aborted; next = await files.next()) await ask(next.value);
  }

  async function ask(file: string): Promise<void> {
    const name = nameOf(file);
    if (answers.has(name)) return;
    try {
      const answer = await askImage(url, file, question, pause, stop);
      await answers.add(name, answer);
      progress.answered(answer.usage.totalTokens);
    } catch (error) {
      // Stopped while it waited. It is not a failure, because the next run asks about it.
      if (stop.aborted && error instanceof Error && error.name === 'AbortError') return;
      failures.push({ file: name, reason: reasonOf(error) });
      progress.failed();
    }
  }

  function nameOf(file: string): string {
    return relative(folder, file).split(sep).join('/');
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The error of fetch() says only that it failed. Its cause says why.
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return error.message + cause;
}
