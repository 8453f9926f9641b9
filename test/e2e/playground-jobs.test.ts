import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type EmulatedStorage, startStorage } from '../../src/dev/emulator/storage.ts';
import { some } from '../tier.ts';
import { startApp } from './app.ts';
import { type Playground, startPlayground } from './playground.ts';
import { type Visitor, violations, visit } from './visitor.ts';

const IMAGE = fileURLToPath(new URL('../images/sailboat-small.webp', import.meta.url));
const IMAGES = 20;
/** Slow enough that the progress bar is seen partly filled. */
const ANSWER_MS = 400;
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const JOB_TIMEOUT = { timeout: 60_000 };

let storage: EmulatedStorage;
let env: Readonly<Record<string, string>>;
let playground: Playground;
beforeAll(async () => {
  storage = await startStorage();
  await storage.ready;
  for (let at = 0; at < IMAGES; at += 1)
    await storage.images.getBlockBlobClient(`catalogue/${at}.webp`).uploadFile(IMAGE);
  await storage.images.getBlockBlobClient('mixed/picture.webp').uploadFile(IMAGE);
  await storage.images.getBlockBlobClient('mixed/text.txt').upload('no image', 8);
  env = { ...storage.env, NODE_EXTRA_CA_CERTS: storage.caFile, JOBS_CONCURRENCY: '4' };
  playground = await startPlayground(env, { answerDelayMs: ANSWER_MS });
});
afterAll(async () => {
  await playground.stop();
  await storage.close();
});
beforeEach(() => playground.azure.reset());

test('a job runs with a progress bar, and its results can be downloaded', async () => {
  const { page, complaints, outside } = await open();
  expect(await page.getByLabel('Container, or').inputValue()).toBe(storage.images.url);
  await page.getByLabel('Container, or').fill(`${storage.images.url}/catalogue/`);
  await page.fill('#instructions', 'Which colour is it?');
  await page.getByRole('button', { name: 'Start' }).click();
  const shares = new Set<number>();
  await expect
    .poll(async () => {
      shares.add(Number(await page.getByRole('progressbar', { name: 'Images done' }).getAttribute('value')));
      return page.locator('#job-status').textContent();
    }, JOB_TIMEOUT)
    .toBe('Done.');
  expect([...shares].filter((share) => share > 0 && share < IMAGES)).not.toEqual([]);
  expect(await page.locator('#job-facts').innerText()).toMatch(/found\s+20\s+Answered\s+20\s+Failed\s+0/i);
  expect(await page.getByRole('button', { name: 'Cancel' }).isVisible()).toBe(false);

  const lines = await download(page);
  expect(lines).toHaveLength(IMAGES);
  expect(new Set(lines.map(({ blob }) => blob)).size).toBe(IMAGES);
  for (const line of lines) {
    expect(line.answer).toContain('Which colour is it?');
    expect(line.tier).toBe('flex');
  }
  expect(complaints).toEqual([]);
  expect(outside).toEqual([]);
});

test('a job uses the detail, token limit and tier of the page, and its results say why an image failed', async () => {
  const { page } = await open();
  await page.getByLabel('Container, or').fill(`${storage.images.url}/mixed/`);
  await page.getByLabel('low', { exact: true }).check({ force: true });
  await page.getByLabel('Max tokens').fill('77');
  await page.getByLabel('standard').check({ force: true });
  await page.getByRole('button', { name: 'Start' }).click();
  await expect.poll(async () => page.locator('#job-status').textContent(), JOB_TIMEOUT).toBe('Done.');
  expect(await page.locator('#job-facts').innerText()).toMatch(/found\s+2\s+Answered\s+1\s+Failed\s+1/i);
  expect(await page.locator('#job-remark').innerText()).toBe('The results say why some images failed.');
  const body = playground.azure.model.requests[0]?.body;
  expect(body).toMatchObject({ max_completion_tokens: 77 });
  expect(body).not.toHaveProperty('service_tier');
  expect(JSON.stringify(body)).toContain('"detail":"low"');
  const lines = await download(page);
  expect(lines.map(({ problem }) => problem?.code)).toEqual([undefined, 'unsupported_image_type']);
});

test('after a reload, the page still shows the running job and can cancel it', async () => {
  const { page } = await open();
  playground.azure.model.fail({ delayMs: 5_000 }, IMAGES);
  await page.getByLabel('Container, or').fill(`${storage.images.url}/catalogue/`);
  await page.getByRole('button', { name: 'Start' }).press('Enter');
  await page.getByRole('button', { name: 'Cancel' }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Cancel' }).press('Enter');
  await expect.poll(async () => page.locator('#job-status').textContent(), JOB_TIMEOUT).toContain('Cancelled');
  expect(await page.evaluate('document.activeElement.id')).toBe('download-results');
});

const DEVICES: readonly { name: string; options: Parameters<typeof visit>[2] }[] = [
  { name: 'a phone, dark', options: { ...PHONE, colorScheme: 'dark' } },
  { name: 'a desktop, light', options: { colorScheme: 'light' } },
];
test.each(some(DEVICES, 2))(
  'has no accessibility violations and does not scroll sideways: $name',
  async ({ options }) => {
    const visitor = await open(options);
    const { page } = visitor;
    await page.getByLabel('Container, or').fill(`${storage.images.url}/mixed/`);
    await page.getByRole('button', { name: 'Start' }).click();
    await page.locator('#job-remark').waitFor();
    await page.getByLabel('Container, or').fill('https://elsewhere.blob.core.windows.net/images');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.locator('#job-problem').waitFor();
    expect(await page.locator('#job-problem').innerText()).toContain('IMAGE_CONTAINERS');
    expect(await violations(visitor)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
  },
);

test('the page says why a job failed, also after its results are downloaded', async () => {
  const { page } = await open();
  await page.getByLabel('Container, or').fill(`${storage.images.url}/catalogue/`);
  await page.route('**/api/jobs/*', async (route) => {
    const job = { status: 'failed', found: 1, answered: 0, failed: 0, usage: {}, finishedAt: '2026-11-27T00:00:00Z' };
    await route.fulfill({ json: { ...job, problem: { title: 'Bad request', detail: 'This model has no flex.' } } });
  });
  await page.getByRole('button', { name: 'Start' }).click();
  await expect
    .poll(async () => page.locator('#job-remark').innerText(), JOB_TIMEOUT)
    .toContain('This model has no flex.');
  await page.getByRole('button', { name: 'Download results' }).click();
  expect(await page.locator('#job-remark').isVisible()).toBe(true);
});

test('the page keeps polling a job after a failed request, and forgets a job that does not exist', async () => {
  const { page } = await open();
  await page.getByLabel('Container, or').fill(`${storage.images.url}/mixed/`);
  await page.route('**/api/jobs/*', async (route) => route.abort(), { times: 1 });
  await page.getByRole('button', { name: 'Start' }).click();
  await expect.poll(async () => page.locator('#job-problem').innerText(), JOB_TIMEOUT).toContain('cannot be reached');
  await expect.poll(async () => page.locator('#job-status').textContent(), JOB_TIMEOUT).toBe('Done.');
  expect(await page.locator('#job-problem').isVisible()).toBe(false);

  await page.evaluate(`sessionStorage.setItem('job', '00000000-0000-4000-8000-000000000000')`);
  await page.reload();
  await expect.poll(async () => page.locator('#job-problem').innerText(), JOB_TIMEOUT).toContain('no such job');
  expect(await page.evaluate(`sessionStorage.getItem('job')`)).toBeNull();
});

test('in Azure, the page suggests no container; without storage, it has no jobs panel', async () => {
  const inAzure = await startApp({ ...playground.azure.env, ...env, WEBSITE_SITE_NAME: 'app' });
  onTestFinished(async () => inAzure.stop());
  const { page } = await visit(playground.browser, inAzure.url);
  expect(await page.getByLabel('Container, or').inputValue()).toBe('');
  expect(await page.content()).not.toContain('devstoreaccount1');

  const without = await startApp(playground.azure.env);
  onTestFinished(async () => without.stop());
  const { page: plain } = await visit(playground.browser, without.url);
  expect(await plain.locator('#jobs').isVisible()).toBe(false);
});

async function open(options: Parameters<typeof visit>[2] = {}): Promise<Visitor> {
  return visit(playground.browser, playground.app.url, options);
}

interface Line {
  blob: string;
  answer?: string;
  problem?: { code: string };
  tier: string;
}

async function download(page: Visitor['page']): Promise<Line[]> {
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download results' }).click();
  const text = await textOf(await (await downloading).createReadStream());
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}
