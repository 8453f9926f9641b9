import { run } from './run.ts';

/** Serves an app that is already built: `node src/dev/start/serve.ts [directory]`. */
await run(async () => process.argv[2] ?? 'dist');
