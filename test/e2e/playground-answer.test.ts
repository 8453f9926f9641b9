import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SAILBOAT as HEIC } from '../images/heif.ts';
import { still, stillOfSize, turned } from '../images/still.ts';
import { type Playground, startPlayground } from './playground.ts';
import { SAILBOAT, type Visitor, visit } from './visitor.ts';

const WORD_DELAY_MS = 150;
/** Enough for the slowest stream here to show the awaited words. */
const STREAM_TIMEOUT = { timeout: 5000 };
const QUESTION = 'What is in this picture?';

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

describe('the answer', () => {
  test('appears word by word, and ends with its tokens and timings', async () => {
    playground.azure.model.fail({ wordDelayMs: WORD_DELAY_MS });
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
    expect(json).toMatchObject({
      usage: { inputTokens: expect.any(Number) },
      images: [{ type: 'image/jpeg', width: 960 }],
    });
    const facts = await visitor.facts.innerText();
    expect(facts).toMatch(
      /Tokens in\s+\d+\s+Tokens out\s+\d+[^]*First words after\s+[\d.]+ m?s[^]*read [\d.]+ m?s, token [\d.]+ m?s, model [\d.]+ m?s, total [\d.]+ m?s/,
    );
  });

  test('lists the images as the model got them; the gallery shows the upright size of a rotated picture', async () => {
    const rotatedPicture = {
      name: 'p.jpg',
      mimeType: 'image/jpeg',
      buffer: await turned(await still('image/jpeg', 90, 60)),
    };
    const heic = { name: 'p.heic', mimeType: '', buffer: HEIC };
    await visitor.page.setInputFiles('#pick', [rotatedPicture, heic]);
    await expect.poll(async () => visitor.page.locator('#gallery').innerText()).toContain('60 × 90');
    expect(await visitor.page.locator('.fault').allInnerTexts()).toEqual(['', '']);
    await askAndWait();
    expect(await visitor.facts.innerText()).toMatch(
      /Images, as the model gets them\s+JPEG, [\d.]+ (?:KB|bytes), 60 × 90; JPEG, \d+ KB, 256 × 192/,
    );
  });

  test.each(['the Stop button', 'Escape'])(
    'stops on %s: cancels the model call and keeps the words so far',
    async (how) => {
      playground.azure.model.fail({ wordDelayMs: 200 });
      await pick();
      await visitor.ask.click();
      await expect.poll(async () => visitor.answer.textContent(), STREAM_TIMEOUT).toContain('A JPEG');
      await (how === 'the Stop button' ? visitor.stop.click() : visitor.page.keyboard.press('Escape'));
      expect(await playground.azure.model.requests[0]?.closedEarly).toBe(true);
      expect(await visitor.status.textContent()).toBe('Stopped by you.');
      expect(await visitor.answer.textContent()).toContain('A JPEG');
      await askAndWait();
      expect(await visitor.answer.textContent()).toContain(`You asked: "${QUESTION}"`);
    },
  );

  test('is shown as plain text even if it contains HTML', async () => {
    const { page } = visitor;
    await pick();
    await page.fill('#instructions', '<img src="https://example.com/x" onerror="alert(1)"><b>bold</b>');
    await askAndWait();
    expect(await visitor.answer.textContent()).toContain('<b>bold</b>');
    expect(await visitor.answer.locator('*').count()).toBe(0);
  });
});

test('shows the progress of the upload of a large image', async () => {
  const { page } = visitor;
  const session = await page.context().newCDPSession(page);
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 1_500_000,
  });
  await page.setInputFiles('#pick', {
    name: 'large.png',
    mimeType: 'image/png',
    buffer: await stillOfSize('image/png', 3_000_000),
  });
  await visitor.ask.click();
  const progress = page.locator('#progress');
  const seen = new Set<number>();
  while (await progress.isVisible()) seen.add(Number(await progress.getAttribute('value')));
  expect([...seen].filter((value) => value > 0 && value < 1).length).toBeGreaterThan(2);
  await visitor.facts.waitFor();
});

async function pick(): Promise<void> {
  await visitor.page.setInputFiles('#pick', SAILBOAT);
}

async function askAndWait(): Promise<void> {
  await visitor.ask.click();
  await visitor.facts.waitFor();
}
