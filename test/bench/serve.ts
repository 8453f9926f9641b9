/** Serves a built app and measures itself: `serve.ts DIRECTORY`, forked. */
import { Meter } from './meter.ts';
import { startWorker } from './worker.ts';

const [appDir = ''] = process.argv.slice(2);
const importing = performance.now();
const { port, registeredAt } = await startWorker(appDir);
const meter = new Meter();

process.on('disconnect', () => process.exit());
process.on('message', (question) => process.send?.(answer(question)));
process.send?.({
  url: `http://127.0.0.1:${port}`,
  importing: performance.timeOrigin + importing,
  registrationMs: registeredAt - importing,
});

function answer(question: unknown): unknown {
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
