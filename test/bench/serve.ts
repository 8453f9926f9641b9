/** Serves a built app in a forked process that measures itself: `serve.ts DIRECTORY`. */
import { answerQuestions } from './questions.ts';
import { startWorker } from './worker.ts';

const [appDir = ''] = process.argv.slice(2);
const importing = performance.now();
const { port, registeredAt } = await startWorker(appDir);
answerQuestions({
  url: `http://127.0.0.1:${port}`,
  importing: performance.timeOrigin + importing,
  registrationMs: registeredAt - importing,
});
