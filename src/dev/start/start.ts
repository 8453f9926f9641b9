import { parseArgs } from 'node:util';
import { build } from '../build/build.ts';
import { run } from './run.ts';

const USAGE = `Usage: npm start [-- --images FOLDER]
  --images FOLDER   puts the images of a folder into the emulated storage account, for jobs; default: test/images`;

/** `npm start`: builds the app and serves what would be deployed, with a storage account beside it. */
try {
  const { values } = parseArgs({ options: { images: { type: 'string', default: 'test/images' } } });
  console.log('Building the app …');
  await run(async () => (await build()).dir, { folder: '.azurite', images: values.images });
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(2);
}
