import { run } from './run.ts';

/** Serves an app that is built already: `node src/dev/start/serve.ts [directory]`. */
await run(async () => process.argv[2] ?? 'dist');
