import { type Check, checkLoads } from './load-checks.ts';
import type { Results } from './run.ts';

/** Holds the results against all that was promised. */
export function check(results: Results): Check[] {
  return [...checkLoads(results.cells), ...checkStart(results), ...checkOverload(results)];
}

function checkStart({ coldStarts }: Results): Check[] {
  const of = (name: string) => coldStarts.find(({ form }) => form === name);
  const [ours, unbundled, empty] = [of('this project'), of('unbundled, all imported at the start'), of('empty app')];
  const registration = (ours?.registrationMs ?? NaN) / (unbundled?.registrationMs ?? NaN);
  const answer = ours?.timesEmpty ?? NaN;
  return [
    {
      promise: 'Import to registration: at most a quarter of the unbundled form, all imported at the start',
      measured: `${registration.toFixed(2)} (${milliseconds(ours?.registrationMs, unbundled?.registrationMs)})`,
      kept: registration <= 0.25,
    },
    {
      promise: 'Process start to first answer: within 1.3 times an empty app',
      measured: `${answer.toFixed(2)} in the median round (${milliseconds(ours?.processToAnswerMs, empty?.processToAnswerMs)})`,
      kept: answer <= 1.3,
    },
  ];
}

function milliseconds(mine = NaN, other = NaN): string {
  return `${mine.toFixed(0)} to ${other.toFixed(0)} ms`;
}

function checkOverload({ slow, burst }: Results): Check[] {
  const growth = slow.highestRssLaterMb / slow.rssAfterFirstMb;
  const lost = Object.entries(burst.failed).map(([result, count]) => `, ${count} x ${result}`);
  return [
    {
      promise: `${slow.requests} slow requests of 100 KB at once: all answered`,
      measured: `${slow.answered} in ${slow.seconds.toFixed(1)} s`,
      kept: slow.answered === slow.requests,
    },
    {
      promise: 'Memory after the first hundred of them: flat (within 10 %)',
      measured: `${slow.rssAfterFirstMb.toFixed(0)} MB, then at most ${slow.highestRssLaterMb.toFixed(0)} MB`,
      kept: growth <= 1.1,
    },
    {
      promise: `${burst.concurrency} x ${burst.megabytes} MB at once with a heap of ${burst.heapMb} MB: some answered, the rest 503, none hung`,
      measured: `${burst.answered} answered, ${burst.shed} x 503${lost.join('')}`,
      kept: burst.answered > 0 && burst.answered + burst.shed === burst.concurrency,
    },
    {
      promise: 'Alive and answering after it',
      measured: burst.nextAnswer,
      kept: burst.aliveAfter && burst.nextAnswer === '200',
    },
  ];
}
