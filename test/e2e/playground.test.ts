import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stillOfSize } from '../images/still.ts';
import { ask as askRaw } from './ask.ts';
import { type Playground, startPlayground } from './playground.ts';
import { SAILBOAT, type Visitor, visit } from './visitor.ts';

const QUESTION = 'What is in this picture?';

/** Runs in the page: copies a picture to the clipboard, together with a text if there is one. */
const copyPicture = (text?: string): string => `(async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 30, height: 20 });
  canvas.getContext('2d').fillRect(0, 0, 30, 20);
  const picture = { 'image/png': await new Promise((resolve) => canvas.toBlob(resolve)) };
  await navigator.clipboard.write([new ClipboardItem({ ...picture, ...${text ? JSON.stringify({ 'text/plain': text }) : '{}'} })]);
})()`;

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
afterEach(() => {
  expect(visitor.complaints).toEqual([]);
  expect(visitor.outside).toEqual([]);
});

describe('an image can be', () => {
  test('chosen as a file, and makes the same model request as raw bytes', async () => {
    await pick();
    await askAndWait();
    expect(await visitor.answer.textContent()).toContain(`JPEG image of 960 x 640 pixels`);
    await askRaw(playground.app.url, readFileSync(SAILBOAT), { query: { instructions: QUESTION } });
    const [fromPage, raw] = playground.azure.model.requests.map(({ body }) => body as Record<string, unknown>);
    expect(fromPage?.['messages']).toEqual(raw?.['messages']);
    expect(fromPage?.['max_completion_tokens']).toBe(raw?.['max_completion_tokens']);
  });

  test('taken with the rear camera', async () => {
    const camera = visitor.page.locator('#photograph');
    expect(await camera.getAttribute('capture')).toBe('environment');
    await camera.setInputFiles(SAILBOAT);
    await askAndWait();
    expect(imagesSent()).toEqual([readFileSync(SAILBOAT).toString('base64')]);
  });

  test('dropped anywhere on the page', async () => {
    const { page } = visitor;
    const session = await page.context().newCDPSession(page);
    const at = { x: 900, y: 500, data: { items: [], files: [SAILBOAT], dragOperationsMask: 1 } };
    await session.send('Input.dispatchDragEvent', { type: 'dragEnter', ...at });
    await session.send('Input.dispatchDragEvent', { type: 'dragOver', ...at });
    await expect.poll(async () => page.locator('body').getAttribute('class')).toBe('dragging');
    await session.send('Input.dispatchDragEvent', { type: 'drop', ...at });
    await askAndWait();
    expect(await page.locator('body').getAttribute('class')).toBe('');
    expect(imagesSent()).toEqual([readFileSync(SAILBOAT).toString('base64')]);
  });

  test('pasted; if the clipboard has text too, only the text is pasted into the instructions', async () => {
    const { page } = visitor;
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.evaluate(copyPicture());
    await page.keyboard.press('Control+V');
    await page.evaluate(copyPicture('How dark is it?'));
    await page.fill('#instructions', '');
    await page.focus('#instructions');
    await page.keyboard.press('Control+V');
    await askAndWait();
    expect(imagesSent()).toHaveLength(1);
    expect(await visitor.answer.textContent()).toMatch(/PNG image of 30 x 20 pixels.*"How dark is it\?"/);
  });
});

test('sends several images with detail and token limit, and suggests a higher limit if it is too low', async () => {
  const { page } = visitor;
  await pick();
  await page.setInputFiles('#pick', {
    name: 'second.png',
    mimeType: 'image/png',
    buffer: await stillOfSize('image/png', 60_000),
  });
  await expect
    .poll(async () => page.locator('#gallery').innerText())
    .toMatch(/sailboat\.jpg\s+JPEG, 20 KB, 960 × 640\s[^]*second\.png\s+PNG, 59 KB, 640 × 480/);
  await page.getByLabel('original').check({ force: true });
  await page.getByLabel('Max tokens').fill('7');
  await askAndWait();
  expect(imagesSent()).toHaveLength(2);
  expect(imagesSent()[0]).toBe(readFileSync(SAILBOAT).toString('base64'));
  expect(playground.azure.model.requests[0]?.body).toMatchObject({ max_completion_tokens: 7 });
  expect(JSON.stringify(playground.azure.model.requests[0]?.body).match(/"detail":"original"/g)).toHaveLength(2);
  expect(await page.locator('#remark').innerText()).toContain('Raise "Max tokens"');
});

async function pick(): Promise<void> {
  await visitor.page.setInputFiles('#pick', SAILBOAT);
}

async function askAndWait(): Promise<void> {
  await visitor.ask.click();
  await visitor.facts.waitFor();
}

/** The images of the model's last request, in base64. */
function imagesSent(): string[] {
  const found = JSON.stringify(playground.azure.model.requests.at(-1)?.body).matchAll(
    /data:image\/\w+;base64,([^"]+)/g,
  );
  return [...found].map(([, base64 = '']) => base64);
}
