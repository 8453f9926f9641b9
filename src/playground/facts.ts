import { make } from './element.ts';
import { member, number, text } from './member.ts';
import { duration, sizeInWords, stagesOf, type Timings } from './figures.ts';

/**
 * Shows the facts of an answer: model, tokens, images as they were sent, and times measured by this page and by the
 * app.
 */
export function showFacts(list: HTMLElement, done: unknown, timings: Timings, serverTiming: string | null): void {
  const usage = member(done, 'usage');
  const stages = stagesOf(serverTiming ?? '').map(({ name, milliseconds }) => `${name} ${duration(milliseconds)}`);
  list.replaceChildren(
    ...fact('Model', text(done, 'model')),
    ...fact('Tokens in', number(usage, 'inputTokens')?.toLocaleString('en')),
    ...fact('Tokens out', number(usage, 'outputTokens')?.toLocaleString('en')),
    ...fact('Images, as the model gets them', imagesOf(done), 'whole-row'),
    ...fact('Sent after', inWords(timings.sent)),
    ...fact('First words after', inWords(timings.firstWords)),
    ...fact('Done after', inWords(timings.ended)),
    ...fact('Time in the app before the first word', stages.join(', '), 'whole-row'),
  );
  list.hidden = false;
}

/** Describes each image as it was sent to the model, upright and perhaps converted: `JPEG, 151 KB, 901 × 1200`. */
function imagesOf(done: unknown): string {
  const images = member(done, 'images');
  return (Array.isArray(images) ? images : [])
    .map((image: unknown) => {
      const type = (text(image, 'type') ?? '').slice('image/'.length).toUpperCase();
      return (
        `${type}, ${sizeInWords(number(image, 'bytes') ?? 0)}, ${number(image, 'width')} × ` +
        `${number(image, 'height')}`
      );
    })
    .join('; ');
}

/** Creates the entry of a list for a name and its value. Returns nothing if there is no value. */
export function fact(name: string, value: string | undefined, className = ''): HTMLElement[] {
  return value ? [make('div', className, make('dt', '', name), make('dd', '', value))] : [];
}

function inWords(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : duration(milliseconds);
}
