import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/local/emulator/azure.ts';
import { stillOfSize } from '../images/still.ts';
import { type App, startBoth } from './app.ts';
import { ask as askRaw } from './ask.ts';
import { startBrowser } from './browser.ts';
import { SAILBOAT, type Visitor, visit } from './visitor.ts';

const WORD_DELAY_MS = 150;
/** As long as the slowest streams here take to come to their point. */
const PATIENTLY = { timeout: 5000 };
const QUESTION = 'What is in this picture?';

/** Runs in the page. */
const COPY_A_PICTURE = `(async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 30, height: 20 });
  canvas.getContext('2d').fillRect(0, 0, 30, 20);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve));
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
})()`;

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
  expect(visitor.outside).toEqual([]);
});

describe('an image is', () => {
  test('picked, and reaches the model as the same request that curl makes', async () => {
    await pick();
    await askAndWait();
    expect(await visitor.answer.textContent()).toContain(`JPEG image of 960 x 640 pixels`);
    await askRaw(app.url, readFileSync(SAILBOAT), { query: { instructions: QUESTION } });
    const [mine, raw] = azure.model.requests.map(({ body }) => body as Record<string, unknown>);
    expect(mine?.['messages']).toEqual(raw?.['messages']);
    expect(mine?.['max_completion_tokens']).toBe(raw?.['max_completion_tokens']);
  });

  test('photographed, where there is a camera to hold up', async () => {
    const camera = visitor.page.locator('#photograph');
    expect(await camera.getAttribute('capture')).toBe('environment');
    await camera.setInputFiles(SAILBOAT);
    await askAndWait();
    expect(imagesSent()).toEqual([readFileSync(SAILBOAT).toString('base64')]);
  });

  test('dropped, anywhere on the page', async () => {
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

  test('pasted, without disturbing the pasting of text', async () => {
    const { page } = visitor;
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.evaluate(COPY_A_PICTURE);
    await page.keyboard.press('Control+V');
    await page.evaluate(`navigator.clipboard.writeText('How dark is it?')`);
    await page.fill('#instructions', '');
    await page.focus('#instructions');
    await page.keyboard.press('Control+V');
    await askAndWait();
    expect(await visitor.answer.textContent()).toMatch(/PNG image of 30 x 20 pixels.*"How dark is it\?"/);
  });
});

test('several images go in their order, with detail and the most tokens', async () => {
  const { page } = visitor;
  await pick();
  await page.setInputFiles('#pick', { name: 'second.png', mimeType: 'image/png', buffer: await stillOfSize('image/png', 60_000) });
  await expect.poll(async () => page.locator('#gallery').innerText()).toMatch(/sailboat\.jpg\s+JPEG, 20 KB, 960 × 640\s[^]*second\.png\s+PNG, 59 KB, 640 × 480/);
  await page.getByLabel('high').check({ force: true });
  await page.getByLabel('Max tokens').fill('7');
  await askAndWait();
  expect(imagesSent()).toHaveLength(2);
  expect(imagesSent()[0]).toBe(readFileSync(SAILBOAT).toString('base64'));
  expect(azure.model.requests[0]?.body).toMatchObject({ max_completion_tokens: 7 });
  expect(JSON.stringify(azure.model.requests[0]?.body).match(/"detail":"high"/g)).toHaveLength(2);
  expect(await page.locator('#remark').innerText()).toContain('Raise "Max tokens"');
});

describe('the answer', () => {
  test('streams in, word by word, and ends with what it has cost', async () => {
    azure.model.fail({ wordDelayMs: WORD_DELAY_MS });
    await pick();
    await visitor.ask.click();
    const seen: string[] = [];
    while (await visitor.stop.isVisible()) {
      const text = (await visitor.answer.textContent()) ?? '';
      if (text && text !== seen.at(-1)) seen.push(text);
    }
    expect(seen.length).toBeGreaterThan(8);
    for (const [index, text] of seen.entries()) expect(seen[index + 1] ?? text).toContain(text);

    const json = JSON.parse((await visitor.page.locator('#json').textContent()) ?? '') as Record<string, unknown>;
    expect(json['answer']).toBe(await visitor.answer.textContent());
    expect(json).toMatchObject({ usage: { inputTokens: expect.any(Number) }, images: [{ type: 'image/jpeg', width: 960 }] });
    const facts = await visitor.page.locator('#facts').innerText();
    expect(facts).toMatch(/Tokens in\s+\d+\s+Tokens out\s+\d+[^]*First words after\s+\d+ m?s[^]*read \d+ ms, token \d+ ms, model \d+ ms, total \d+ ms/);
  });

  test.each(['button', 'Escape'])('stops by %s: the model is told, and what had come stays', async (how) => {
    azure.model.fail({ wordDelayMs: 200 });
    await pick();
    await visitor.ask.click();
    await expect.poll(async () => visitor.answer.textContent(), PATIENTLY).toContain('A JPEG');
    const stopped = performance.now();
    await (how === 'button' ? visitor.stop.click() : visitor.page.keyboard.press('Escape'));
    expect(await azure.model.requests[0]?.closedEarly).toBe(true);
    expect(performance.now() - stopped).toBeLessThan(1000);
    expect(await visitor.status.textContent()).toBe('Stopped by you.');
    expect(await visitor.answer.textContent()).toContain('A JPEG');
    await askAndWait();
    expect(await visitor.answer.textContent()).toContain(`You asked: "${QUESTION}"`);
  });

  test('is text, whatever stands in it', async () => {
    const { page } = visitor;
    await pick();
    await page.fill('#instructions', '<img src="https://example.com/x" onerror="alert(1)"><b>bold</b>');
    await askAndWait();
    expect(await visitor.answer.textContent()).toContain('<b>bold</b>');
    expect(await visitor.answer.locator('*').count()).toBe(0);
  });
});

test('the upload of a large image shows how far it is', async () => {
  const { page } = visitor;
  const session = await page.context().newCDPSession(page);
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 4_000_000 });
  await page.setInputFiles('#pick', { name: 'large.png', mimeType: 'image/png', buffer: await stillOfSize('image/png', 8_000_000) });
  await visitor.ask.click();
  const progress = page.getByRole('progressbar', { name: 'Upload' });
  const seen = new Set<number>();
  while (await progress.isVisible()) seen.add(Number(await progress.getAttribute('value')));
  expect([...seen].filter((value) => value > 0 && value < 1).length).toBeGreaterThan(2);
  await visitor.page.locator('#facts').waitFor();
});

async function pick(): Promise<void> {
  await visitor.page.setInputFiles('#pick', SAILBOAT);
}

async function askAndWait(): Promise<void> {
  await visitor.ask.click();
  await visitor.page.locator('#facts').waitFor();
}

/** The images of the model's last request, in base64. */
function imagesSent(): string[] {
  const found = JSON.stringify(azure.model.requests.at(-1)?.body).matchAll(/data:image\/\w+;base64,([^"]+)/g);
  return [...found].map(([, base64 = '']) => base64);
}
