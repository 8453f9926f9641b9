import { Model } from '../../azure/model.ts';
import type { TokenSource } from '../../azure/token-source.ts';
import type { Deadline } from '../../http/deadline.ts';
import { Problem } from '../../http/problem.ts';
import { Stopwatch } from '../../http/stopwatch.ts';
import { checkImage } from '../../image/check.ts';
import type { Settings, Target } from '../../config/settings.ts';
import type { Answer } from '../../vision/answer.ts';
import { ask } from '../../vision/ask.ts';
import { fail, type Finding, ok } from '../../doctor/check.ts';
import { problemFinding } from '../../doctor/token-check.ts';

/** A red PNG of 32 x 32 pixels, in base64. */
const TINY_PNG =
  'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAMAAABEpIrGAAAAA1BMVEXIHh4WiPieAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEklEQVQ4y2NgGAWjYBSMAuwAAAQgAAFWu83mAAAAAElFTkSuQmCC';
/** Token limit: enough for a model that reasons first. A short answer still costs only its own tokens. */
const MAX_TOKENS = 500;

/** Statuses with which a service refuses an API version, or a parameter that is newer than the version. */
const REFUSED_VERSION = new Set<unknown>([400, 404, 410]);

/** The result of the check, and which model answered. */
export interface VisionCheck extends Finding {
  readonly model?: string;
}

/**
 * Asks a deployment one small question about one small image. If the call fails with a status that may mean a refused
 * API version, it also tries the version-free API, because services word this refusal in many ways.
 */
export async function checkVision(
  settings: Settings,
  target: Target,
  tokens: TokenSource | undefined,
  deadline: Deadline,
): Promise<VisionCheck> {
  const started = performance.now();
  try {
    const { usage, model } = await askOnce(settings, target, tokens, deadline);
    const spent = `${usage.totalTokens} tokens, ${Math.round(performance.now() - started)} ms`;
    return { ...ok(`${target.deployment} answered about an image (${spent})`), model };
  } catch (error) {
    const status = error instanceof Problem ? error.members['upstreamStatus'] : undefined;
    if (settings.apiVersion === 'v1' || !REFUSED_VERSION.has(status)) return problemFinding(error);
    return (await answersOnV1(settings, target, tokens, deadline))
      ? fail(
          `${target.deployment} refuses API version ${settings.apiVersion} (${String(status)}), but answers on v1`,
          'set OPENAI_API_VERSION=v1',
        )
      : problemFinding(error);
  }
}

async function answersOnV1(...[settings, ...rest]: Parameters<typeof askOnce>): Promise<boolean> {
  try {
    await askOnce({ ...settings, apiVersion: 'v1' }, ...rest);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

async function askOnce(
  settings: Settings,
  target: Target,
  tokens: TokenSource | undefined,
  deadline: Deadline,
): Promise<Answer> {
  const model = new Model({ ...settings, ...target, second: undefined }, tokens);
  const image = await checkImage(Buffer.from(TINY_PNG, 'base64'));
  const question = { instructions: 'Which colour is this? One word.', detail: 'low', maxTokens: MAX_TOKENS } as const;
  return ask(
    model,
    { question, images: [image], schema: undefined, options: settings, plainText: true },
    { deadline, stopwatch: new Stopwatch() },
  );
}
