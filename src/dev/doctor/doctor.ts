import { parseArgs } from 'node:util';
import { loadLocalSettings } from '../start/local-settings.ts';
import { diagnose } from './diagnose.ts';
import { printed } from './print.ts';

const USAGE = 'usage: npm run doctor [-- --json] [-- --emulate]';

/** `npm run doctor`: why does it not work? Exits 1 when a check fails. */
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
