/**
 * `npm run soak -- --minutes N` sends mixed traffic to the built app in its own process, while Azure's services fail
 * now and then. It prints memory and descriptors over time, the outcomes of the requests, and everything that broke the
 * contract. It exits with 1 if anything did. It loads two cores lightly.
 */
import { parseArgs } from 'node:util';
import { run } from './run.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes takes a number above zero.');

const tally = await run(minutes, (line) => process.stdout.write(`${line}\n`));
process.stdout.write(`\n${tally.report()}`);
process.exitCode = tally.isClean ? 0 : 1;
