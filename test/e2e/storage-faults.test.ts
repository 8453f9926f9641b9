import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { type EmulatedStorage, startStorage } from '../../src/dev/emulator/storage.ts';
import { still } from '../images/still.ts';
import { startStorageProxy, type StorageFault, type StorageProxy } from '../storage/storage-proxy.ts';
import { type App, startApp } from './app.ts';
import { ask } from './ask.ts';
import { lookAtJob, putImages, resultsOf, startJob } from './job.ts';

const CONCURRENCY = 4;
const IMAGES = 12;
const JOB_TIMEOUT = { timeout: 60_000, interval: 500 };
/** A request about a job ends after this time if storage hangs. */
const REQUEST_TIMEOUT_SECONDS = 5;

/** How storage fails, and the code of the problem that the job routes answer. */
const FAULTS: readonly (readonly [StorageFault, string])[] = [
  ['refuse', 'storage_access_denied'],
  ['break', 'storage_error'],
  ['hang', 'storage_error'],
];

let azure: EmulatedAzure;
let storage: EmulatedStorage;
let proxy: StorageProxy;
let app: App;
beforeAll(async () => {
  azure = await startAzure({ record: true, answerDelayMs: 100 });
  storage = await startStorage();
  await storage.ready;
  proxy = await startStorageProxy(storage);
});
afterAll(async () => {
  await app.stop();
  proxy.close();
  await storage.close();
  azure.close();
});

test('if storage fails at startup, questions work, job routes answer a problem, and jobs work later', async () => {
  for (const [at, [fault, code]] of FAULTS.entries()) {
    proxy.setFault(() => fault);
    if (at === 0) app = await start();
    await expectQuestionsWork();
    await expectProblem(code);
  }
  proxy.setFault(() => undefined);
  const blobs = await putImages(storage.images, 'start', 3);
  await expectDone(await startJob(app.url, `${proxy.images}/start/`), blobs);
  expect(app.alive()).toBe(true);
});

test('if storage fails during a job, questions work, and the job goes on without asking twice', async () => {
  azure.reset();
  const blobs = await putImages(storage.images, 'middle', IMAGES);
  const id = await startJob(app.url, `${proxy.images}/middle/`);
  await expect.poll(() => azure.model.requests.length, JOB_TIMEOUT).toBeGreaterThanOrEqual(CONCURRENCY);
  let questions = 0;
  for (const [fault, code] of FAULTS) {
    proxy.setFault(() => fault);
    await expectProblem(code, id);
    await expectQuestionsWork();
    questions += 2;
  }
  // Slow storage only makes a job slow.
  proxy.setFault(() => ({ delayMs: 200 }));
  await expectQuestionsWork();
  await expectDone(id, blobs);
  expect(app.alive()).toBe(true);
  expect(azure.model.requests).toHaveLength(IMAGES + questions + 2);
});

async function start(): Promise<App> {
  return startApp({
    ...azure.env,
    ...proxy.env,
    NODE_EXTRA_CA_CERTS: storage.caFile,
    JOBS_CONCURRENCY: String(CONCURRENCY),
    QUEUE_VISIBILITY_SECONDS: '10',
    REQUEST_TIMEOUT_SECONDS: String(REQUEST_TIMEOUT_SECONDS),
  });
}

async function expectQuestionsWork(): Promise<void> {
  const { url } = app;
  const image = await still('image/png', 8, 8);
  expect(await ask(url, image)).toMatchObject({ status: 200 });
  const chat = await fetch(`${url}/api/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'any', messages: [{ role: 'user', content: 'Hello?' }] }),
  });
  expect(chat.status, await chat.text()).toBe(200);
}

/** Every job route answers 502 with a problem that has this code. */
async function expectProblem(code: string, id = '0af76519-16cd-43dd-8448-eb211c80319c'): Promise<void> {
  const { url } = app;
  const body = JSON.stringify({ source: proxy.images, instructions: 'What is this?', tier: 'flex' });
  const requests: [string, RequestInit][] = [
    ['', { method: 'POST', headers: { 'content-type': 'application/json' }, body }],
    [`/${id}`, {}],
    [`/${id}/results`, {}],
    [`/${id}`, { method: 'DELETE' }],
  ];
  const answers = await Promise.all(
    requests.map(async ([path, init]) => {
      const answer = await fetch(`${url}/api/jobs${path}`, init);
      return { status: answer.status, type: answer.headers.get('content-type'), problem: await answer.json() };
    }),
  );
  const problem = expect.objectContaining({ code, account: 'devstoreaccount1' });
  expect(answers).toEqual(requests.map(() => ({ status: 502, type: 'application/problem+json', problem })));
}

async function expectDone(id: string, blobs: readonly string[]): Promise<void> {
  await expect
    .poll(async () => lookAtJob(app.url, id), JOB_TIMEOUT)
    .toMatchObject({ status: 'done', answered: blobs.length, failed: 0 });
  const results = await resultsOf(app.url, id);
  expect(results.map(({ blob }) => blob)).toEqual(blobs.map((blob) => blob.replace(storage.images.url, proxy.images)));
  expect(results.filter(({ answer }) => !answer)).toEqual([]);
}
