import { build } from '../build/build.ts';
import { run } from './run.ts';

/** `npm start`: builds the app and serves what would be deployed. */
await run(async () => (await build()).dir);
