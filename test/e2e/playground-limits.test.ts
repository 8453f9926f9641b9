import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, startApp } from './app.ts';
import { type Playground, startPlayground } from './playground.ts';
import { sailboatAs, visit } from './visitor.ts';

const LIMITS = {
  MAX_IMAGES: '3',
  MAX_IMAGE_BYTES: '25000',
  MAX_BODY_BYTES: '50000',
  MAX_INSTRUCTIONS: '9',
  HTTP_AUTH_LEVEL: 'anonymous',
};

let playground: Playground;
let strict: App;
beforeAll(async () => {
  playground = await startPlayground();
  strict = await startApp({ ...playground.azure.env, ...LIMITS });
});
afterAll(async () => {
  await strict.stop();
  await playground.stop();
});

test('the page checks the limits before the upload, and sends nothing that the app would reject', async () => {
  const { page, ask, facts, complaints } = await visit(playground.browser, strict.url);
  const posts: string[] = [];
  page.on('request', (request) => void (request.method() === 'POST' && posts.push(request.url())));
  const notice = page.locator('#notice');
  expect(await page.locator('#pick-rules').innerText()).toBe(
    'Up to 3 images: PNG, JPEG, WEBP, GIF, HEIC, AVIF or TIFF, 24 KB each',
  );

  await ask.click();
  expect(await notice.innerText()).toBe('Choose an image first.');

  const large = { name: 'large.png', mimeType: 'image/png', buffer: Buffer.alloc(26_000) };
  await page.setInputFiles('#pick', [large, ...['a', 'b', 'c'].map((name) => sailboatAs(`${name}.jpg`))]);
  expect(await notice.innerText()).toBe('One question may have at most 3 images: 1 left out.');
  expect(await page.locator('.faulty').innerText()).toContain('Too large: 24 KB at most');
  await ask.click();
  expect(await notice.innerText()).toContain('marked as too large');

  await page.getByRole('button', { name: 'Remove large.png' }).click();
  await page.setInputFiles('#pick', sailboatAs('c.jpg'));
  await ask.click();
  expect(await notice.innerText()).toBe(
    'Together these images have 59 KB, but a request may have at most 49 KB. Remove some.',
  );
  expect(posts).toEqual([]);

  await page.getByRole('button', { name: 'Remove c.jpg' }).click();
  await page.locator('#instructions').fill('');
  await page.locator('#instructions').pressSequentially('What is it?');
  expect(await page.locator('#instructions').inputValue()).toBe('What is i');
  await ask.click();
  await facts.waitFor();
  expect(await notice.isVisible()).toBe(false);
  expect(complaints).toEqual([]);
});

test('the page has no key field if HTTP_AUTH_LEVEL is anonymous', async () => {
  const { page } = await visit(playground.browser, strict.url);
  expect(await page.locator('#key-section').isVisible()).toBe(false);
});

test('the page says so if a drop contains no file', async () => {
  const { page } = await visit(playground.browser, playground.app.url);
  const nothing = await page.evaluateHandle('new DataTransfer()');
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: nothing });
  expect(await page.locator('#notice').innerText()).toContain('What you dropped is not a file');
});
