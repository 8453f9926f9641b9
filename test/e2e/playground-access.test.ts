import type { BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inTurn } from '../tier.ts';
import { type Playground, startPlayground } from './playground.ts';
import { SAILBOAT, sailboatAs, type Visitor, violations, visit } from './visitor.ts';

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const LONG_NAME = `${'a-name-that-does-not-end'.repeat(5)}.jpg`;

let playground: Playground;
beforeAll(async () => {
  playground = await startPlayground();
});
afterAll(async () => playground.stop());
beforeEach(() => playground.azure.reset());

test('the keyboard alone is enough, and focus shows at every step', async () => {
  const { page, answer, facts, status, stop, complaints } = await open();
  playground.azure.model.fail({ wordDelayMs: 150 });
  // The browser has to be told of it before the key is pressed.
  const chooser = page.waitForEvent('filechooser');
  await tabTo('pick');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(SAILBOAT);

  await tabTo('instructions');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('How many boats?');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  await tabTo('ask');
  await page.keyboard.press('Enter');
  await expect.poll(async () => page.evaluate('document.activeElement.id')).toBe('stop');
  await answer.waitFor();
  await page.keyboard.press('Enter');
  await expect.poll(async () => status.textContent()).toBe('Stopped by you.');
  expect(await page.evaluate('document.activeElement.id')).toBe('ask');

  await page.focus('#instructions');
  await page.keyboard.press('Control+Enter');
  await facts.waitFor();
  expect(await stop.isVisible()).toBe(false);
  expect(await answer.textContent()).toContain('How many boats?');
  expect(playground.azure.model.requests.at(-1)?.body).toMatchObject({
    messages: [{}, { content: [{}, { image_url: { detail: 'low' } }] }],
  });

  await page.evaluate('document.activeElement.blur()');
  await tabTo('json-section');
  await page.keyboard.press('Enter');
  expect(await page.locator('#json').isVisible()).toBe(true);
  expect(complaints).toEqual([]);

  /** Presses Tab until focus is at or within the element with this id. */
  async function tabTo(id: string): Promise<void> {
    for (let presses = 0; presses < 30; presses += 1) {
      await page.keyboard.press('Tab');
      expect(await page.evaluate(FOCUS_SHOWS), 'focus is to be seen').toBe(true);
      if (await page.evaluate(`Boolean(document.activeElement.closest('#${id}'))`)) return;
    }
    throw new Error(`Tab does not lead to #${id}`);
  }
});

/** Runs in the page: whether the focused element, or the label that stands for it, has an outline. */
const FOCUS_SHOWS = `(() => {
  const { activeElement } = document;
  const drawn = (element) => element && getComputedStyle(element).outlineStyle === 'solid' && parseFloat(getComputedStyle(element).outlineWidth) >= 3;
  return activeElement === document.body || Boolean(drawn(activeElement) || drawn(activeElement.closest('label')));
})()`;

test('removing an image keeps the focus near', async () => {
  const { page } = await open();
  await page.setInputFiles('#pick', [sailboatAs('a.jpg'), sailboatAs('b.jpg')]);
  await page.getByRole('button', { name: 'Remove a.jpg' }).press('Enter');
  expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Remove b.jpg');
  await page.keyboard.press('Enter');
  expect(await page.evaluate('document.activeElement.id')).toBe('pick');
  await page.setInputFiles('#pick', sailboatAs('a.jpg'));
  expect(await page.locator('#gallery li').count()).toBe(1);
});

const PLACES = [
  { on: 'a desk', options: {} },
  { on: 'a phone', options: PHONE },
];
const SCHEMES = ['light', 'dark'] as const;

test.each(inTurn(PLACES, SCHEMES))(
  'nothing stands in the way of assistive technology, on $row.on, in $way',
  async ({ row, way: colorScheme }) => {
    const visitor = await open({ ...row.options, colorScheme });
    const { page } = visitor;
    expect(await violations(visitor)).toEqual([]);
    await page.setInputFiles('#pick', [sailboatAs(LONG_NAME), sailboatAs('b.jpg')]);
    await visitor.ask.click();
    await visitor.facts.waitFor();
    for (const summary of await page.locator('summary').all()) await summary.click();
    expect(await violations(visitor)).toEqual([]);
    await page.setInputFiles('#pick', { name: 'x', mimeType: '', buffer: Buffer.from('x') });
    await visitor.ask.click();
    await visitor.problem.waitFor();
    expect(await violations(visitor)).toEqual([]);
  },
);

test('a phone of 360 px needs no sideways scrolling, and brings the answer into view', async () => {
  const { page, ask, answer, facts, problem } = await open(PHONE);
  expect(await page.getByText('Take a photo').isVisible()).toBe(true);
  expect(await overflow()).toBe(0);
  await page.setInputFiles('#pick', [sailboatAs(LONG_NAME), sailboatAs('b.jpg')]);
  await page.locator('#instructions').fill('Donaudampfschifffahrtsgesellschaft'.repeat(9));
  await ask.click();
  await facts.waitFor();
  expect(await page.evaluate('document.getElementById("answer-heading").getBoundingClientRect().top')).toBeLessThan(
    740 * 0.45,
  );
  for (const summary of await page.locator('summary').all()) await summary.click();
  expect(await overflow()).toBe(0);
  expect(await answer.textContent()).toContain('schifffahrt');
  await page.setInputFiles('#pick', { name: 'x', mimeType: '', buffer: Buffer.from('x') });
  await ask.click();
  await problem.waitFor();
  expect(await overflow()).toBe(0);

  async function overflow(): Promise<unknown> {
    return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  }
});

test('nothing moves for those who asked for less motion', async () => {
  const { page, ask, stop } = await open({ reducedMotion: 'reduce' });
  playground.azure.model.fail({ delayMs: 500 });
  await page.setInputFiles('#pick', SAILBOAT);
  await ask.click();
  await stop.waitFor();
  expect(await page.evaluate(`getComputedStyle(document.getElementById('status'), '::before').animationName`)).toBe(
    'none',
  );
  expect(await page.evaluate(`getComputedStyle(document.getElementById('answer'), '::after').animationName`)).toBe(
    'none',
  );
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  expect(await page.evaluate(`getComputedStyle(document.getElementById('status'), '::before').animationName`)).toBe(
    'pulse',
  );
});

async function open(options: BrowserContextOptions = {}): Promise<Visitor> {
  return visit(playground.browser, playground.app.url, options);
}
