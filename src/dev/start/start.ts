import { parseArgs } from 'node:util';
import { build } from '../build/build.ts';
import { run } from './run.ts';

const USAGE = `Usage: npm start [-- --images FOLDER]
  --images FOLDER   uploads the images of a folder to the emulated storage account, for jobs; default: test/images`;

/** `npm start`: builds the app and serves exactly what would be deployed, beside an emulated storage account. */
try {
  const { values } = parseArgs({ options: { images: { type: 'string', default: 'test/images' } } });
  await run(buildApp, { folder: '.azurite', images: values.images });
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(2);
}

async function buildApp(): Promise<string> {
  console.log('Building the app …');
  return (await build()).dir;
}
