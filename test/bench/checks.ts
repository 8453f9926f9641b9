import { type Check, checkLoads } from './load-checks.ts';
import type { Results } from './run.ts';
import { checkServed } from './served-checks.ts';

/** Compares the results with everything that was promised. */
export function check(results: Results): Check[] {
  return [
    ...checkLoads(results.cells),
    ...checkStart(results),
    ...checkOverload(results),
    checkCrafted(results),
    ...checkOpenAi(results),
    ...checkServed(results.served),
    checkPictures(results),
    ...checkUntouched(results),
  ];
}

function checkStart({ coldStarts }: Results): Check[] {
  const of = (name: string) => coldStarts.find(({ form }) => form === name)?.processToAnswerMs ?? NaN;
  const [ours, unbundled] = [of('this project'), of('unbundled')];
  const ratio = ours / unbundled;
  return [
    {
      promise: 'Process start to first answer: at most 0.85 of the unbundled form',
      measured: `${ratio.toFixed(2)} (${milliseconds(ours, unbundled)})`,
      kept: ratio <= 0.85,
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
      promise: 'Memory after the first hundred of them: grows by at most 10 %',
      measured: `${slow.rssAfterFirstMb.toFixed(0)} MB, then at most ${slow.highestRssLaterMb.toFixed(0)} MB`,
      kept: growth <= 1.1,
    },
    {
      promise: `${burst.concurrency} x ${burst.megabytes} MB at once with a heap of ${burst.heapMb} MB: some answered, the rest 503, none hung`,
      measured: `${burst.answered} answered, ${burst.shed} x 503${lost.join('')}`,
      kept: burst.answered > 0 && burst.answered + burst.shed === burst.concurrency,
    },
    {
      promise: 'After it, the process is alive and answers',
      measured: burst.nextAnswer,
      kept: burst.aliveAfter && burst.nextAnswer === '200',
    },
  ];
}

function checkOpenAi({ openAi }: Results): Check[] {
  const [chat, responses] = openAi;
  if (!chat || !responses) return [];
  const of = `${chat.load.concurrency} x ${chat.load.megabytes} MB`;
  const cpu = responses.cpuSecondsPer1000 / chat.cpuSecondsPer1000;
  const memory = responses.rssOverIdleMb - chat.rssOverIdleMb;
  return [
    {
      promise: `CPU per request through responses, ${of}: at most 15 % more than through chat`,
      measured: `${cpu.toFixed(2)} (${responses.cpuSecondsPer1000.toFixed(0)} to ${chat.cpuSecondsPer1000.toFixed(0)} s per 1,000)`,
      kept: cpu <= 1.15,
    },
    {
      promise: `Peak memory through responses, ${of}: at most two images more than through chat`,
      measured: `${responses.rssOverIdleMb.toFixed(0)} to ${chat.rssOverIdleMb.toFixed(0)} MB`,
      kept: memory <= 2 * chat.load.megabytes,
    },
    {
      promise: 'No request through responses or chat failed',
      measured: `${chat.failed + responses.failed} failed`,
      kept: chat.failed + responses.failed === 0,
    },
  ];
}

function checkCrafted({ crafted: { megabytes, slowest, longestBlockMs } }: Results): Check {
  return {
    promise: `Crafted images of ${megabytes} MB, and crafted JSON: no block of the event loop over 15 ms`,
    measured: `${longestBlockMs.toFixed(1)} ms (${slowest})`,
    kept: longestBlockMs <= 15,
  };
}

function checkPictures({ pictures }: Results): Check {
  const of = (name: string): number => pictures.find((picture) => picture.name === name)?.cpuMs ?? NaN;
  const [bare, marked] = [of('JPEG'), of('JPEG with metadata')];
  return {
    promise: 'CPU per request with metadata to remove: at most 15 % more than without',
    measured: `${(marked / bare).toFixed(2)} (${marked.toFixed(1)} to ${bare.toFixed(1)} ms)`,
    kept: marked / bare <= 1.15,
  };
}

/** The request is the cheapest one with an image of that size, over all loads of this project. */
function checkUntouched({ untouched, cells }: Results): Check[] {
  return untouched.map(({ megabytes, cpuMs }) => {
    const ours = cells.filter((cell) => cell.side === 'this project' && cell.megabytes === megabytes);
    const ofRequest = Math.min(...ours.map(({ cpuSecondsPer1000 }) => cpuSecondsPer1000));
    const share = cpuMs / ofRequest;
    return {
      promise: `CPU to read and check an image of ${megabytes} MB that needs no change: at most 2 % of its request`,
      measured: `${(share * 100).toFixed(2)} % (${cpuMs.toFixed(3)} of ${ofRequest.toFixed(1)} ms)`,
      kept: share <= 0.02,
    };
  });
}
