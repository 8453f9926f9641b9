import { execFile } from 'node:child_process';
import { z } from 'zod';

const Report = z.object({
  ok: z.boolean(),
  checks: z.array(
    z.object({
      name: z.string(),
      status: z.enum(['ok', 'warn', 'fail', 'skip']),
      reason: z.string().nullish(),
      fix: z.string().nullish(),
    }),
  ),
});

/** What `npm run doctor -- --json` prints. */
export type Report = z.infer<typeof Report>;

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
    return Report.parse(JSON.parse(printed));
  } catch (error) {
    throw new Error(`The doctor gave no report. Run it by hand: npm run doctor\n${printed}`, { cause: error });
  }
}
