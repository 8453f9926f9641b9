import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SOAK = fileURLToPath(new URL('soak.ts', import.meta.url));

describe.concurrent('a soak of some seconds', () => {
  test('ends well, and tells what it did', async () => {
    const { code, output } = await soak();
    expect(output).toMatch(/^\s+0:0\d {2}held \d+\.\d MB {2}resident \d+\.\d MB {2}descriptors \d+ {2}requests \d+$/m);
    expect(output).toMatch(/^\s+\d+ {2}200 answer$/m);
    expect(output).toContain('Nothing broke the contract.');
    expect(code).toBe(0);
  });

  test('ends with 1 where the app does not live through it, and tells what was lost', async () => {
    const { code, output } = await soak((app) => process.kill(app, 'SIGKILL'));
    expect(output).toMatch(/^What broke the contract \(\d+\):$/m);
    expect(output).toContain('The app ended.');
    expect(output).toContain(': lost');
    expect(code).toBe(1);
  });
});

/** Runs it against the `dist/` that there is, and does something to the app a second after it has started. */
async function soak(spoil: (app: number) => void = () => {}): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [SOAK, '--minutes', '0.05'], (_, output) =>
      resolve({ code: child.exitCode, output }),
    );
    child.stdout?.on('data', (text: string) => {
      const [, app] = /The app is process (\d+)/.exec(text) ?? [];
      if (app) setTimeout(() => spoil(Number(app)), 1_000);
    });
  });
}
