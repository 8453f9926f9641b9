import { parseArgs } from 'node:util';
import { loadLocalSettings } from '../start/local-settings.ts';
import { diagnose } from './diagnose.ts';
import { printed } from './print.ts';

const USAGE = 'usage: npm run doctor [-- --json] [-- --emulate]';

/**
 * `npm run doctor`: finds out why the app does not work. Exits with 1 if a check fails, and with 2 for wrong arguments.
 */
const options = readOptions();
if (options.emulate) {
  const { startAzure } = await import('../emulator/azure.ts');
  Object.assign(process.env, (await startAzure()).env);
} else {
  loadLocalSettings();
}

const report = await diagnose(process.env);
process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : printed(report));
process.exit(report.ok ? 0 : 1);

function readOptions(): { json: boolean; emulate: boolean } {
  try {
    return parseArgs({
      options: { json: { type: 'boolean', default: false }, emulate: { type: 'boolean', default: false } },
    }).values;
  } catch {
    process.stderr.write(`${USAGE}\n`);
    process.exit(2);
  }
}
