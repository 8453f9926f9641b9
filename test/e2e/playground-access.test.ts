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

test('the page works with the keyboard alone, and the focused element always has an outline', async () => {
  const { page, answer, facts, status, stop, complaints } = await open();
  playground.azure.model.fail({ wordDelayMs: 150 });
  // The test has to wait for the file chooser before the key opens it.
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
      expect(await page.evaluate(FOCUS_IS_VISIBLE), 'the focused element has an outline').toBe(true);
      if (await page.evaluate(`Boolean(document.activeElement.closest('#${id}'))`)) return;
    }
    throw new Error(`Tab does not reach #${id}`);
  }
});

/** Runs in the page: true if the focused element, or its label, has an outline, or if nothing is focused. */
const FOCUS_IS_VISIBLE = `(() => {
  const { activeElement } = document;
  const drawn = (element) => element && getComputedStyle(element).outlineStyle === 'solid' && parseFloat(getComputedStyle(element).outlineWidth) >= 3;
  return activeElement === document.body || Boolean(drawn(activeElement) || drawn(activeElement.closest('label')));
})()`;

test('after an image is removed, focus is on the next one or the file input, and it can be chosen again', async () => {
  const { page } = await open();
  await page.setInputFiles('#pick', [sailboatAs('a.jpg'), sailboatAs('b.jpg')]);
  await page.getByRole('button', { name: 'Remove a.jpg' }).press('Enter');
  expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Remove b.jpg');
  await page.keyboard.press('Enter');
  expect(await page.evaluate('document.activeElement.id')).toBe('pick');
  await page.setInputFiles('#pick', sailboatAs('a.jpg'));
  expect(await page.locator('#gallery li').count()).toBe(1);
});

const DEVICES = [
  { name: 'a desktop', options: {} },
  { name: 'a phone', options: PHONE },
];
const SCHEMES = ['light', 'dark'] as const;

test.each(inTurn(DEVICES, SCHEMES))(
  'axe finds no accessibility violations on $row.name in the $way colour scheme',
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

test('on a phone of 360 px, the page does not scroll sideways, and the answer scrolls into view', async () => {
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

test('the animations are off if the browser asks for reduced motion', async () => {
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
