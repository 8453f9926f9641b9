/**
 * `npm run soak -- --minutes N`: mixed traffic against the built app in its own process, while things go wrong on
 * Azure's side. Prints memory and descriptors over time, what became of the requests, and whatever broke the contract;
 * ends with 1 where something did. It loads two cores lightly.
 */
import { parseArgs } from 'node:util';
import { run } from './run.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes takes a number above zero.');

const tally = await run(minutes, (line) => process.stdout.write(`${line}\n`));
process.stdout.write(`\n${tally.report()}`);
process.exitCode = tally.isClean ? 0 : 1;
