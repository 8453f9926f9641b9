import { execFile } from 'node:child_process';
import * as v from 'valibot';

const Report = v.object({
  ok: v.boolean(),
  checks: v.array(
    v.object({
      name: v.string(),
      status: v.picklist(['ok', 'warn', 'fail', 'skip']),
      reason: v.nullish(v.string()),
      fix: v.nullish(v.string()),
    }),
  ),
});

/** What `npm run doctor -- --json` prints. */
export type Report = v.InferOutput<typeof Report>;

/**
 * Runs the app's own doctor with these variables beside the present ones.
 * @throws {Error} when it prints no report
 */
export async function runDoctor(variables: Readonly<Record<string, string>>): Promise<Report> {
  const printed = await new Promise<string>((resolve) => {
    // npm is a script on Windows, which only a shell can run. The exit code is in the report as well.
    const options = { env: { ...process.env, ...variables }, shell: process.platform === 'win32' };
    execFile('npm', ['run', '--silent', 'doctor', '--', '--json'], options, (_failed, stdout, stderr) =>
      resolve(stdout.trim() || stderr),
    );
  });
  try {
    return v.parse(Report, JSON.parse(printed));
  } catch (error) {
    throw new Error(`The doctor gave no report. Run it by hand: npm run doctor\n${printed}`, { cause: error });
  }
}
