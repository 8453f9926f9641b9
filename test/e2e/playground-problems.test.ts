import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startApp } from './app.ts';
import { type Playground, startPlayground } from './playground.ts';
import { SAILBOAT, sailboatAs, type Visitor, visit } from './visitor.ts';

const NOT_AN_IMAGE = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear Sir or Madam') };

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

describe('a problem is shown', () => {
  test('with its code and request id, and its image is marked until it is removed', async () => {
    const { page, problem } = visitor;
    await page.setInputFiles('#pick', [sailboatAs('boat.jpg'), NOT_AN_IMAGE]);
    expect(await page.locator('.fault').allInnerTexts()).toEqual([
      '',
      'Perhaps not a PNG, JPEG, WEBP, GIF, HEIC, AVIF or TIFF',
    ]);
    await visitor.ask.click();
    await problem.waitFor();
    expect(await problem.innerText()).toMatch(
      /^Not a supported image\s+Image 2: .+\s+415 · unsupported_image_type · request [\da-f-]{36}$/,
    );
    expect(await page.locator('.faulty .name').allInnerTexts()).toEqual(['notes.txt']);
    expect(JSON.parse((await page.locator('#json').textContent()) ?? '')).toMatchObject({ status: 415, image: 2 });

    await page.getByRole('button', { name: 'Remove notes.txt' }).click();
    await visitor.ask.click();
    await visitor.facts.waitFor();
    expect(await problem.isVisible()).toBe(false);
    expect(await page.locator('.faulty').count()).toBe(0);
  });

  test('with the time to wait, if the model gives one', async () => {
    playground.azure.model.fail({ status: 429, headers: { 'retry-after': '120' } }, Infinity);
    expect(await problemOf(visitor)).toMatch(/^The model is busy[^]+Try again in 120 s\.\s+429 · rate_limited/);
  });

  test('below the words that have already arrived', async () => {
    playground.azure.model.fail({ breakOff: 'mid-body', wordDelayMs: 20 });
    expect(await problemOf(visitor)).toMatch(/502 · upstream_error · request/);
    expect(await visitor.answer.innerText()).toContain('A JPEG');
    expect(await visitor.ask.isVisible()).toBe(true);
  });

  test('if the answer breaks off, and if the app cannot be reached', async () => {
    const other = await startApp(playground.azure.env);
    const guest = await visit(playground.browser, other.url);
    playground.azure.model.fail({ wordDelayMs: 100 });
    await guest.page.setInputFiles('#pick', SAILBOAT);
    await guest.ask.click();
    await guest.answer.waitFor();
    process.kill(other.pid, 'SIGKILL');
    await guest.problem.waitFor();
    expect(await guest.problem.innerText()).toMatch(/^The answer broke off[^]+request [\da-f-]{36}$/);
    await guest.ask.click();
    await expect.poll(async () => guest.problem.innerText()).toMatch(/^The app cannot be reached/);
  });

  test('if a required setting is missing in Azure', async () => {
    const fresh = await startApp({
      WEBSITE_SITE_NAME: 'my-app',
      AZURE_OPENAI_ENDPOINT: 'https://westeurope.api.cognitive.microsoft.com/',
    });
    onTestFinished(async () => fresh.stop());
    expect(await problemOf(await visit(playground.browser, fresh.url))).toMatch(
      /^The service is misconfigured\s+.*AZURE_OPENAI_DEPLOYMENT is not set/,
    );
  });

  test('if a gateway answers with an error page of its own', async () => {
    await visitor.page.route('**/processImage', async (route) =>
      route.fulfill({ status: 503, body: '<h1>Our services are not available</h1>' }),
    );
    expect(await problemOf(visitor)).toMatch(/^The app did not answer: status 503/);
  });
});

async function problemOf({ page, ask, problem }: Visitor): Promise<string> {
  await page.setInputFiles('#pick', SAILBOAT);
  await ask.click();
  await problem.waitFor();
  return problem.innerText();
}
