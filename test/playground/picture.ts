import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startStorage } from '../../src/dev/emulator/storage.ts';
import { chromium } from 'playwright-core';
import { startBoth } from '../e2e/app.ts';
import { startBrowser } from '../e2e/browser-setup.ts';

/**
 * Takes the README's screenshot of a running job, from the built app. Run it with `node test/playground/picture.ts`.
 */
const PICTURE = fileURLToPath(new URL('../../.github/jobs-panel.png', import.meta.url));
const IMAGES = 180;
/** The screenshot is taken when this many images are done. */
const DONE_IMAGES = 80;

const storage = await startStorage();
await storage.ready;
const image = await readFile(new URL('../images/sailboat-small.webp', import.meta.url));
for (let at = 0; at < IMAGES; at += 1)
  await storage.images.getBlockBlobClient(`catalogue/${at}.webp`).uploadData(image);
const { app, azure } = await startBoth(
  { ...storage.env, NODE_EXTRA_CA_CERTS: storage.caFile },
  { answerDelayMs: 1_000 },
);
const server = await startBrowser();
const browser = await chromium.connect(server.wsEndpoint());
const page = await browser.newPage({ viewport: { width: 1_000, height: 900 }, deviceScaleFactor: 1.5 });
await page.goto(`${app.url}/api/playground`);
await page.fill('#source', `${storage.images.url}/catalogue/`);
await page.click('#start-job');
const bar = page.locator('#job-progress');
while (Number(await bar.getAttribute('value')) < DONE_IMAGES) await page.waitForTimeout(100);
await page.evaluate('document.activeElement.blur()');
await page.locator('#jobs').screenshot({ path: PICTURE });
await browser.close();
await server.close();
await app.stop();
azure.close();
await storage.close();
