import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** The picture that the README asks about. */
export const SAILBOAT = fileURLToPath(new URL('../images/sailboat.jpg', import.meta.url));

/** The playground, opened in a browser, and the errors that the browser reports. */
export interface Visitor {
  readonly page: Page;
  /** Script errors, violations of the page's policy and console warnings, but not failed responses. */
  readonly complaints: readonly string[];
  /** Requests to other origins than the app's. */
  readonly outside: readonly string[];
  readonly ask: Locator;
  readonly stop: Locator;
  readonly answer: Locator;
  readonly status: Locator;
  readonly problem: Locator;
  /** Tokens and timings of an answer; visible when the answer is complete. */
  readonly facts: Locator;
}

/** Opens the playground of an app in a browser profile of its own, until the end of the test. */
export async function visit(browser: Browser, appUrl: string, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext(options);
  onTestFinished(async () => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const outside: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== appUrl && !['blob:', 'data:'].includes(protocol)) outside.push(request.url());
  });
  await page.goto(`${appUrl}/api/playground`);
  return {
    page,
    complaints,
    outside,
    ask: page.getByRole('button', { name: 'Ask' }),
    stop: page.getByRole('button', { name: 'Stop' }),
    answer: page.locator('#answer'),
    status: page.getByRole('status'),
    problem: page.locator('#problem'),
    facts: page.locator('#facts'),
  };
}

/** The picture as a file with this name and type. */
export function sailboatAs(name: string, mimeType = 'image/jpeg'): { name: string; mimeType: string; buffer: Buffer } {
  return { name, mimeType, buffer: readFileSync(SAILBOAT) };
}

/** The violations that axe finds with its rules for WCAG 2.2 AA and its best practices, one text for each element. */
export async function violations({ page }: Visitor): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate<axe.AxeResults>(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}
