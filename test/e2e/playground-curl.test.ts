import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Playground, startPlayground } from './playground.ts';
import { SAILBOAT, sailboatAs, visit } from './visitor.ts';

const AWKWARD_NAME = `a "boat"; it's \\ here, $HOME.jpg`;

let playground: Playground;
beforeAll(async () => {
  playground = await startPlayground();
});
afterAll(async () => playground.stop());

test('the copied curl command makes the same model request as the page', async () => {
  const { page, ask, facts, answer } = await visit(playground.browser, playground.app.url, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await page.setInputFiles('#pick', [sailboatAs('boat.jpg'), sailboatAs(AWKWARD_NAME)]);
  await page.locator('#instructions').fill(`@boats: what's "this" & $HOME?`);
  await page.getByLabel('Max tokens').fill('99');
  await page.getByText('low', { exact: true }).click();
  await ask.click();
  await facts.waitFor();

  await page.getByText('The same with curl').click();
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  const command = String(await page.evaluate('navigator.clipboard.readText()'));
  const events = await runBesideImages(command);
  expect(events).toContain('event: done\n');

  const [fromPage, fromCurl] = playground.azure.model.requests.map(({ body }) => body);
  expect(fromCurl).toEqual(fromPage);
  expect(await answer.textContent()).toContain(`@boats: what's "this" & $HOME?`);
});

test('if the clipboard is not available, the Copy button selects the command', async () => {
  const { page } = await visit(playground.browser, playground.app.url);
  await page.evaluate('delete Navigator.prototype.clipboard');
  await page.getByText('The same with curl').click();
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.getByRole('button', { name: 'Press Ctrl C' }).waitFor();
  expect(await page.evaluate('getSelection().toString()')).toMatch(/^curl -N 'http:[^]*'image=@IMAGE'$/);
});

async function runBesideImages(command: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'curl-'));
  onTestFinished(async () => rm(dir, { recursive: true }));
  await Promise.all(['boat.jpg', AWKWARD_NAME].map(async (name) => copyFile(SAILBOAT, join(dir, name))));
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd: dir });
  return stdout;
}
