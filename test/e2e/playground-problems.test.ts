import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/local/emulator/azure.ts';
import { type App, startApp, startBoth } from './app.ts';
import { startBrowser } from './browser.ts';
import { SAILBOAT, sailboatAs, type Visitor, visit } from './visitor.ts';

const NO_IMAGE = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear Sir or Madam') };

let app: App;
let azure: EmulatedAzure;
let browser: Browser;
let visitor: Visitor;
beforeAll(async () => {
  ({ app, azure } = await startBoth());
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
  await app.stop();
  azure.close();
});
beforeEach(async () => {
  azure.reset();
  visitor = await visit(browser, app.url);
});
afterEach(async () => {
  await visitor.leave();
  expect(visitor.complaints).toEqual([]);
});

describe('a problem is told in words', () => {
  test('with its code and request id, at the image that it is about', async () => {
    const { page, problem } = visitor;
    await page.setInputFiles('#pick', [sailboatAs('boat.jpg'), NO_IMAGE]);
    expect(await page.locator('.fault').allInnerTexts()).toEqual(['', 'Perhaps not a PNG, JPEG, WEBP or GIF']);
    await visitor.ask.click();
    await problem.waitFor();
    expect(await problem.innerText()).toMatch(/^Not a supported image\s+Image 2: .+\s+415 · unsupported_image_type · request [\da-f-]{36}$/);
    expect(await page.locator('.faulty .name').allInnerTexts()).toEqual(['notes.txt']);
    expect(JSON.parse((await page.locator('#json').textContent()) ?? '')).toMatchObject({ status: 415, image: 2 });

    await page.getByRole('button', { name: 'Remove notes.txt' }).click();
    await visitor.ask.click();
    await page.locator('#facts').waitFor();
    expect(await problem.isVisible()).toBe(false);
    expect(await page.locator('.faulty').count()).toBe(0);
  });

  test('with the time to wait, where the model names one', async () => {
    azure.model.fail({ status: 429, headers: { 'retry-after': '120' } }, Infinity);
    expect(await problemOf(visitor)).toMatch(/^The model is busy[^]+Try again in 120 s\.\s+429 · rate_limited/);
  });

  test('below the words that came before it', async () => {
    azure.model.fail({ breakOff: 'mid-body', wordDelayMs: 20 });
    expect(await problemOf(visitor)).toMatch(/502 · upstream_error · request/);
    expect(await visitor.answer.innerText()).toContain('A JPEG');
    expect(await visitor.ask.isVisible()).toBe(true);
  });

  test('where nothing answers, and where an answer breaks off', async () => {
    const other = await startApp(azure.env);
    const guest = await visit(browser, other.url);
    azure.model.fail({ wordDelayMs: 100 });
    await guest.page.setInputFiles('#pick', SAILBOAT);
    await guest.ask.click();
    await guest.answer.waitFor();
    process.kill(other.pid, 'SIGKILL');
    await guest.problem.waitFor();
    expect(await guest.problem.innerText()).toMatch(/^The answer broke off[^]+request [\da-f-]{36}$/);
    await guest.ask.click();
    await expect.poll(async () => guest.problem.innerText()).toMatch(/^The app cannot be reached/);
    await guest.leave();
  });

  test('where something in between answers in its own words', async () => {
    await visitor.page.route('**/processImage', async (route) => route.fulfill({ status: 503, body: '<h1>Our services are not available</h1>' }));
    expect(await problemOf(visitor)).toMatch(/^The answer was an unexplained 503/);
  });
});

describe('the function key', () => {
  test('is asked for when the host refuses, sent, and kept for this tab only', async () => {
    const { page } = visitor;
    const context = page.context();
    // What the Functions host in Azure does; the local one knows no keys.
    await page.route('**/processImage', async (route) => (route.request().headers()['x-functions-key'] === 'k-123' ? route.continue() : route.fulfill({ status: 401 })));
    expect(await problemOf(visitor)).toMatch(/^A function key is needed/);
    expect(await focused()).toBe('key');

    await page.keyboard.type('k-123');
    expect(await page.locator('#curl').textContent()).toContain('-H "x-functions-key: $FUNCTION_KEY"');
    expect(await page.locator('#curl').textContent()).not.toContain('k-123');
    await visitor.ask.click();
    await page.locator('#facts').waitFor();

    await page.reload();
    expect(await page.locator('#key').inputValue()).toBe('k-123');
    const otherTab = await context.newPage();
    await otherTab.goto(page.url());
    expect(await otherTab.locator('#key').inputValue()).toBe('');
    expect(await page.evaluate('[document.cookie, localStorage.length]')).toEqual(['', 0]);
  });

  test('that cannot be one is refused where it stands', async () => {
    const { page } = visitor;
    await page.locator('summary', { hasText: 'Function key' }).click();
    await page.locator('#key').fill('k-1…3');
    await page.locator('summary', { hasText: 'Function key' }).click();
    await page.setInputFiles('#pick', SAILBOAT);
    await visitor.ask.click();
    expect(await focused()).toBe('key');
    expect(azure.model.requests).toEqual([]);
  });
});

describe('before an upload', () => {
  let strict: App;
  beforeAll(async () => {
    strict = await startApp({ ...azure.env, MAX_IMAGES: '3', MAX_IMAGE_BYTES: '25000', MAX_BODY_BYTES: '50000', MAX_INSTRUCTIONS: '9', HTTP_AUTH_LEVEL: 'anonymous' });
  });
  afterAll(async () => strict.stop());

  test('the limits of the service are told, and what is over them is not sent', async () => {
    const guest = await visit(browser, strict.url);
    const { page, ask } = guest;
    const posts: string[] = [];
    page.on('request', (request) => void (request.method() === 'POST' && posts.push(request.url())));
    const notice = page.locator('#notice');
    expect(await page.locator('#pick-rules').innerText()).toBe('Up to 3 images: PNG, JPEG, WEBP or GIF, 24 KB each');
    expect(await page.locator('#key-section').isVisible()).toBe(false);

    await ask.click();
    expect(await notice.innerText()).toBe('Choose an image first.');

    const large = { name: 'large.png', mimeType: 'image/png', buffer: Buffer.alloc(26_000) };
    await page.setInputFiles('#pick', [large, ...['a', 'b', 'c'].map((name) => sailboatAs(`${name}.jpg`))]);
    expect(await notice.innerText()).toBe('3 images are the most for one question: 1 left out.');
    expect(await page.locator('.faulty').innerText()).toContain('Too large: 24 KB at most');
    await ask.click();
    expect(await notice.innerText()).toContain('marked as too large');

    await page.getByRole('button', { name: 'Remove large.png' }).click();
    await page.setInputFiles('#pick', sailboatAs('c.jpg'));
    await ask.click();
    expect(await notice.innerText()).toBe('Together these are 59 KB, and 49 KB can be sent at once. Remove some.');
    expect(posts).toEqual([]);

    await page.getByRole('button', { name: 'Remove c.jpg' }).click();
    await page.locator('#instructions').fill('');
    await page.locator('#instructions').pressSequentially('What is it?');
    expect(await page.locator('#instructions').inputValue()).toBe('What is i');
    await ask.click();
    await page.locator('#facts').waitFor();
    expect(await notice.isVisible()).toBe(false);
    await guest.leave();
  });

  test('a dropped link is told to be none of a file', async () => {
    const data = await visitor.page.evaluateHandle('new DataTransfer()');
    await visitor.page.dispatchEvent('#drop', 'drop', { dataTransfer: data });
    expect(await visitor.page.locator('#notice').innerText()).toContain('There was no file in that');
  });
});

async function problemOf({ page, ask, problem }: Visitor): Promise<string> {
  await page.setInputFiles('#pick', SAILBOAT);
  await ask.click();
  await problem.waitFor();
  return problem.innerText();
}

async function focused(): Promise<unknown> {
  return visitor.page.evaluate('document.activeElement.id');
}
