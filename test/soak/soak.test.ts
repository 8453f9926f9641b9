import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SOAK = fileURLToPath(new URL('soak.ts', import.meta.url));

describe.concurrent('a soak of a few seconds', () => {
  test('exits with 0, and prints vitals and outcomes', async () => {
    const { code, output } = await soak();
    expect(output).toMatch(/^\s+0:0\d {2}held \d+\.\d MB {2}resident \d+\.\d MB {2}descriptors \d+ {2}requests \d+$/m);
    expect(output).toMatch(/^\s+\d+ {2}200 answer$/m);
    expect(output).toContain('Nothing broke the contract.');
    expect(code).toBe(0);
  });

  test('exits with 1 if the app is killed, and prints the lost requests', async () => {
    const { code, output } = await soak((app) => process.kill(app, 'SIGKILL'));
    expect(output).toMatch(/^What broke the contract \(\d+\):$/m);
    expect(output).toContain('The app ended.');
    expect(output).toContain(': lost');
    expect(code).toBe(1);
  });
});

/**
 * Runs a soak of `dist/`.
 * @param disturb - called with the app's process id a second after the app has started
 */
async function soak(disturb: (app: number) => void = () => {}): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [SOAK, '--minutes', '0.05'], (_, output) =>
      resolve({ code: child.exitCode, output }),
    );
    child.stdout?.on('data', (text: string) => {
      const [, app] = /The app is process (\d+)/.exec(text) ?? [];
      if (app) setTimeout(() => disturb(Number(app)), 1_000);
    });
  });
}
