import { Meter } from './meter.ts';

/**
 * Lets the process that forked this one measure it: answers its messages, and exits when it disconnects.
 * @param ready - the first message, sent when everything is set up
 */
export function answerQuestions(ready: unknown): void {
  const meter = new Meter();
  process.on('disconnect', () => process.exit());
  process.on('message', (question) => process.send?.(answer(question, meter)));
  process.send?.(ready);
}

function answer(question: unknown, meter: Meter): unknown {
  switch (question) {
    case 'idle':
      meter.idle();
      return true;
    case 'begin':
      meter.begin();
      return true;
    case 'read':
      return meter.read();
    default:
      return process.memoryUsage.rss();
  }
}
