import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** The picture of the README. */
export const SAILBOAT = fileURLToPath(new URL('../images/sailboat.jpg', import.meta.url));

/** Someone who has opened the playground, and what their browser had to complain about. */
export interface Visitor {
  readonly page: Page;
  /** Script errors, violations of the page's policy, console warnings; a failed response is none. */
  readonly complaints: readonly string[];
  /** Requests to any other place than the app. */
  readonly outside: readonly string[];
  readonly ask: Locator;
  readonly stop: Locator;
  readonly answer: Locator;
  readonly status: Locator;
  readonly problem: Locator;
  /** What an answer has cost; there when it is whole. */
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

/** The picture as a file of any name and type. */
export function sailboatAs(name: string, mimeType = 'image/jpeg'): { name: string; mimeType: string; buffer: Buffer } {
  return { name, mimeType, buffer: readFileSync(SAILBOAT) };
}

/** What axe finds, in short; its rules are those of WCAG 2.2 AA and its own best practices. */
export async function violations({ page }: Visitor): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate<axe.AxeResults>(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}
