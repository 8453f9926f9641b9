/**
 * `npm run bench` measures everything on this machine. `npm run bench -- --quick` takes a minute and a half. The
 * results go to `results/` as JSON, Markdown and SVG. The full run exits with 1 if a promise is not kept. The quick run
 * does not, because it has too few rounds to tell.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { build } from '../../src/dev/build/build.ts';
import { check } from './checks.ts';
import { full, quick } from './plan.ts';
import { plot } from './plot.ts';
import { report, withFigures } from './report.ts';
import { run } from './run.ts';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const plan = values.quick ? quick : full;
const results = new URL('results/', import.meta.url);

await build();
const measured = await run(plan, (line) => process.stderr.write(`  ${line}\n`));
const text = report(measured);
await mkdir(results, { recursive: true });
await writeFile(new URL(`${plan.name}.json`, results), `${JSON.stringify(measured, null, 2)}\n`);
await writeFile(new URL(`${plan.name}.md`, results), text);
await writeFile(new URL(`${plan.name}.svg`, results), plot(measured));
if (plan === full) {
  const readme = new URL('README.md', import.meta.url);
  await writeFile(readme, withFigures(await readFile(readme, 'utf8'), measured));
  if (check(measured).some(({ kept }) => !kept)) process.exitCode = 1;
}
process.stdout.write(`\n${text}`);
