import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Playground, startPlayground } from './playground.ts';
import { SAILBOAT, type Visitor, visit } from './visitor.ts';

let playground: Playground;
beforeAll(async () => {
  playground = await startPlayground();
});
afterAll(async () => playground.stop());

let visitor: Visitor;
beforeEach(async () => {
  playground.azure.reset();
  visitor = await visit(playground.browser, playground.app.url);
});
afterEach(() => expect(visitor.complaints).toEqual([]));

test('asks for a function key after a 401, and keeps it for this tab only and out of the curl command', async () => {
  const { page } = visitor;
  const context = page.context();
  // Checks the key as the Functions host in Azure does; the local host does not.
  await page.route('**/processImage', async (route) =>
    route.request().headers()['x-functions-key'] === 'k-123' ? route.continue() : route.fulfill({ status: 401 }),
  );
  await page.setInputFiles('#pick', SAILBOAT);
  await visitor.ask.click();
  await expect.poll(async () => visitor.problem.innerText()).toMatch(/^A function key is needed/);
  expect(await focused()).toBe('key');

  await page.keyboard.type('k-123');
  expect(await page.locator('#curl').textContent()).toContain('-H "x-functions-key: $FUNCTION_KEY"');
  expect(await page.locator('#curl').textContent()).not.toContain('k-123');
  await visitor.ask.click();
  await visitor.facts.waitFor();

  await page.reload();
  expect(await page.locator('#key').inputValue()).toBe('k-123');
  const otherTab = await context.newPage();
  await otherTab.goto(page.url());
  expect(await otherTab.locator('#key').inputValue()).toBe('');
  expect(await page.evaluate('[document.cookie, localStorage.length]')).toEqual(['', 0]);
});

test('does not send a key with invalid characters, and moves focus to it', async () => {
  const { page } = visitor;
  await page.locator('summary', { hasText: 'Function key' }).click();
  await page.locator('#key').fill('k-1…3');
  await page.locator('summary', { hasText: 'Function key' }).click();
  await page.setInputFiles('#pick', SAILBOAT);
  await visitor.ask.click();
  expect(await focused()).toBe('key');
  expect(playground.azure.model.requests).toEqual([]);
});

async function focused(): Promise<unknown> {
  return visitor.page.evaluate('document.activeElement.id');
}
