import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { diagnose } from '../../src/dev/doctor/diagnose.ts';
import { printed } from '../../src/dev/doctor/print.ts';
import type { Report } from '../../src/doctor/check.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A report, with the exit status and everything that the process wrote. */
export interface DoctorResult extends Report {
  readonly status: number | null;
  readonly text: string;
}

/** What a tool of this project wrote, and its exit status. */
export interface ToolResult {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a tool of this project, as npm does, with no environment variables other than these. */
export async function run(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = ROOT,
): Promise<ToolResult> {
  const child = spawn(process.execPath, [`${ROOT}/${script}`, ...args], {
    cwd,
    env: { PATH: '/nowhere', NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const [output, errors] = await Promise.all(
    [child.stdout, child.stderr].map(async (stream) => Buffer.concat(await stream.toArray()).toString()),
  );
  await closed;
  return { status: child.exitCode, output: output ?? '', errors: errors ?? '' };
}

/**
 * Runs `work` in this process with no environment variables other than these, and records what it writes to stderr. For
 * variables that Node reads when it starts, such as NODE_EXTRA_CA_CERTS, use {@link run}.
 */
export async function withVariables<T>(
  env: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<{ readonly done: T; readonly errors: string }> {
  const original = { ...process.env };
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  replaceVariables({ PATH: '/nowhere', ...env });
  try {
    const done = await work();
    return { done, errors: write.mock.calls.map(([text]) => String(text)).join('') };
  } finally {
    write.mockRestore();
    replaceVariables(original);
  }
}

function replaceVariables(variables: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, variables);
}

/** Runs `npm run doctor -- --json` in a process of its own. */
export async function reportByProcess(env: Readonly<Record<string, string>>, ...args: string[]): Promise<DoctorResult> {
  const { status, output, errors } = await run('src/dev/doctor/doctor.ts', ['--json', ...args], env);
  try {
    return { ...(JSON.parse(output) as Report), status, text: output + errors };
  } catch (cause) {
    throw new Error(`the doctor wrote no JSON: ${output}${errors}`, { cause });
  }
}

/** Makes the same report in this process if it can, because a new process takes seconds to start. */
export async function report(env: Readonly<Record<string, string>>): Promise<DoctorResult> {
  if (env['NODE_EXTRA_CA_CERTS']) return reportByProcess(env);
  const { done, errors } = await withVariables(env, async () => diagnose(process.env));
  return { ...done, status: done.ok ? 0 : 1, text: JSON.stringify(done) + printed(done) + errors };
}
