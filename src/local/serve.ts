import { run } from './run.ts';

/** Serves an app that is built already: `node src/local/serve.ts [directory]`. */
await run(async () => process.argv[2] ?? 'dist');
