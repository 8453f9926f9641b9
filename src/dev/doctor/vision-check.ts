import { Model } from '../../azure/model.ts';
import type { TokenSource } from '../../azure/token-source.ts';
import type { Deadline } from '../../http/deadline.ts';
import { Stopwatch } from '../../http/stopwatch.ts';
import { checkImage } from '../../image/check.ts';
import type { Settings, Target } from '../../config/settings.ts';
import { ask } from '../../vision/ask.ts';
import { type Finding, ok } from '../../doctor/check.ts';
import { problemFinding } from '../../doctor/token-check.ts';

/** 32 x 32 pixels of red. */
const TINY_PNG =
  'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAMAAABEpIrGAAAAA1BMVEXIHh4WiPieAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEklEQVQ4y2NgGAWjYBSMAuwAAAQgAAFWu83mAAAAAElFTkSuQmCC';
/** Room for a model that thinks first; an answer of one word costs what it costs. */
const MAX_TOKENS = 500;

/** What became of the call, and which model answered. */
export interface VisionCheck extends Finding {
  readonly model?: string;
}

/** Asks one deployment one small question about one small image. */
export async function checkVision(
  settings: Settings,
  target: Target,
  tokens: TokenSource | undefined,
  deadline: Deadline,
): Promise<VisionCheck> {
  const model = new Model({ ...settings, ...target, second: undefined }, tokens);
  const image = await checkImage(Buffer.from(TINY_PNG, 'base64'));
  const question = { instructions: 'Which colour is this? One word.', detail: 'low', maxTokens: MAX_TOKENS } as const;
  const started = performance.now();
  try {
    const answer = await ask(
      model,
      { question, images: [image], schema: undefined, options: settings, plainText: true },
      { deadline, stopwatch: new Stopwatch() },
    );
    const spent = `${answer.usage.totalTokens} tokens, ${Math.round(performance.now() - started)} ms`;
    return { ...ok(`${target.deployment} answered about an image (${spent})`), model: answer.model };
  } catch (error) {
    return problemFinding(error);
  }
}
