import { make } from './element.ts';
import { member, number, text } from './member.ts';
import { duration, stagesOf, type Timings } from './timings.ts';

/** Shows what an answer has cost: tokens, and time as this page saw it and as the service did. */
export function showFacts(list: HTMLElement, done: unknown, timings: Timings, serverTiming: string | null): void {
  const usage = member(done, 'usage');
  const stages = stagesOf(serverTiming ?? '').map(({ name, milliseconds }) => `${name} ${duration(milliseconds)}`);
  list.replaceChildren(
    ...fact('Model', text(done, 'model')),
    ...fact('Tokens in', number(usage, 'inputTokens')?.toLocaleString('en')),
    ...fact('Tokens out', number(usage, 'outputTokens')?.toLocaleString('en')),
    ...fact('Sent after', inWords(timings.sent)),
    ...fact('First words after', inWords(timings.firstWords)),
    ...fact('Done after', inWords(timings.ended)),
    ...fact('In the service, until the answer began', stages.join(', '), 'whole-row'),
  );
  list.hidden = false;
}

function fact(name: string, value: string | undefined, className = ''): HTMLElement[] {
  return value ? [make('div', className, make('dt', '', name), make('dd', '', value))] : [];
}

function inWords(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : duration(milliseconds);
}
