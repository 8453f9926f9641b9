import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../src/doctor/check.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a tool of this project wrote, and how it ended. */
export interface Ran {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a tool of this project with these variables alone, as npm would. */
export async function run(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = ROOT,
): Promise<Ran> {
  const child = spawn(process.execPath, [`${ROOT}/${script}`, ...args], {
    cwd,
    env: { PATH: '/nowhere', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const [output, errors] = await Promise.all(
    [child.stdout, child.stderr].map(async (stream) => Buffer.concat(await stream.toArray()).toString()),
  );
  await closed;
  return { status: child.exitCode, output: output ?? '', errors: errors ?? '' };
}

/** The doctor's report as a program reads it. */
export async function report(
  env: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Report & { status: number | null; text: string }> {
  const { status, output, errors } = await run('src/dev/doctor/doctor.ts', ['--json', ...args], env);
  try {
    return { ...(JSON.parse(output) as Report), status, text: output + errors };
  } catch (cause) {
    throw new Error(`the doctor wrote no JSON: ${output}${errors}`, { cause });
  }
}
