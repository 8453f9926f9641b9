import { parseArgs } from 'node:util';
import { loadLocalSettings } from '../start/local-settings.ts';
import { ask, NotAsked } from './ask-azure.ts';
import { printed } from './print.ts';

const USAGE = 'usage: npm run models [-- --location REGION] [-- --json]';

/** `npm run models`: lists the models in a region that can see images, and when they retire. */
const { location, json } = readOptions();
loadLocalSettings();
try {
  const found = await ask(process.env, location);
  process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : printed(found));
} catch (error) {
  if (!(error instanceof NotAsked)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function readOptions(): { location: string | undefined; json: boolean } {
  try {
    const { values } = parseArgs({
      options: { location: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    return { location: values.location, json: values.json };
  } catch {
    process.stderr.write(`${USAGE}\n`);
    process.exit(2);
  }
}
