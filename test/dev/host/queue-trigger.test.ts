import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test, type TestContext } from 'vitest';
import * as v from 'valibot';
import { type EmulatedAzure, startAzure } from '../../../src/dev/emulator/azure.ts';
import { type EmulatedStorage, startStorage } from '../../../src/dev/emulator/storage.ts';
import { startTinyApp, type TinyApp } from './tiny-app.ts';

/** The real host and extension, whose behaviour was observed on 2026-11-26. */
const OBSERVED_ON = 'like host 4.1037 with Storage.Queues 5.3.10';

const Invocations = v.array(
  v.object({ message: v.unknown(), dequeueCount: v.unknown(), id: v.unknown(), running: v.number(), ms: v.number() }),
);
type Invocations = v.InferOutput<typeof Invocations>;

/** Records its messages. Each message says how long the function takes and whether it throws. */
const queueApp = `
import { app } from '@azure/functions';
import { setTimeout as sleep } from 'node:timers/promises';
const invocations = [];
let running = 0;
app.setup({ enableHttpStream: true });
app.get('invocations', () => ({ jsonBody: invocations }));
const queue = { queueName: '%WORK_QUEUE%', connection: 'JobsStorage' };
app.storageQueue('work', { ...queue, handler: async (message, { triggerMetadata }) => {
  running += 1;
  const { dequeueCount, id } = triggerMetadata;
  invocations.push({ message, dequeueCount, id, running, ms: Date.now() });
  await sleep(message.sleepMs ?? 0);
  running -= 1;
  if (message.throws) throw new Error('thrown on purpose');
} });
`;

let azure: EmulatedAzure;
let storage: EmulatedStorage;
beforeAll(async () => {
  azure = await startAzure();
  storage = await startStorage();
  await storage.ready;
});
afterAll(async () => {
  await storage.close();
  azure.close();
});

/** A queue that only one test uses, and the apps that take its messages. */
class TestQueue {
  readonly queue = storage.queues.getQueueClient(`work-${randomUUID()}`);
  readonly #apps: TinyApp[] = [];

  async start(settings: Record<string, string> = {}, queues = {}): Promise<TinyApp> {
    const env = { ...azure.env, ...storage.env, WORK_QUEUE: this.queue.name, NODE_EXTRA_CA_CERTS: storage.caFile };
    const app = await startTinyApp(queueApp, { ...env, ...settings }, { queues });
    this.#apps.push(app);
    return app;
  }

  async send(...messages: unknown[]): Promise<void> {
    for (const message of messages) {
      await this.queue.sendMessage(Buffer.from(JSON.stringify(message)).toString('base64'));
    }
  }

  async length(): Promise<number | undefined> {
    return (await this.queue.getProperties()).approximateMessagesCount;
  }

  async poison(): Promise<string[]> {
    const poisonQueue = storage.queues.getQueueClient(`${this.queue.name}-poison`);
    if (!(await poisonQueue.exists())) return [];
    const { peekedMessageItems } = await poisonQueue.peekMessages({ numberOfMessages: 32 });
    return peekedMessageItems.map(({ messageText }) => messageText);
  }

  async stopApps(): Promise<void> {
    await Promise.all(this.#apps.map(async (app) => app.stop()));
  }
}

async function createTestQueue({ onTestFinished }: Pick<TestContext, 'onTestFinished'>): Promise<TestQueue> {
  const testQueue = new TestQueue();
  await testQueue.queue.create();
  onTestFinished(async () => testQueue.stopApps());
  return testQueue;
}

async function invocationsOf({ url }: TinyApp): Promise<Invocations> {
  return v.parse(Invocations, await (await fetch(`${url}/v1/invocations`)).json());
}

/** A dozen apps start at once, each in its own process, so it may take long until one takes messages. */
const eventually = { timeout: 60_000, interval: 100 };

describe.concurrent(`a queue trigger, ${OBSERVED_ON}`, { timeout: 120_000 }, () => {
  test('passes parsed base64 JSON to the function, then deletes the message', async ({ expect, onTestFinished }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    const app = await testQueue.start();
    await testQueue.send({ ask: 'what' });
    await expect
      .poll(async () => (await invocationsOf(app)).map(({ message }) => message), eventually)
      .toEqual([{ ask: 'what' }]);
    const [invocation] = await invocationsOf(app);
    expect(invocation).toMatchObject({ dequeueCount: 1, id: expect.stringMatching(/^[\da-f-]{36}$/) });
    await expect.poll(async () => testQueue.length(), eventually).toBe(0);
  });

  test('lets members of the JSON overwrite the trigger metadata', async ({ expect, onTestFinished }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    const app = await testQueue.start();
    await testQueue.send({ dequeueCount: 'mine', id: 7 });
    await expect.poll(async () => invocationsOf(app), eventually).toMatchObject([{ dequeueCount: 'mine', id: 7 }]);
  });

  test('moves a message that is not base64 to the poison queue', async ({ expect, onTestFinished }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    await testQueue.queue.sendMessage('{"plain":true}');
    await testQueue.start();
    await expect.poll(async () => testQueue.poison(), eventually).toEqual(['{"plain":true}']);
  });

  test('accepts a message that is not base64 if messageEncoding is none', async ({ expect, onTestFinished }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    await testQueue.queue.sendMessage('{"plain":true}');
    const app = await testQueue.start({}, { messageEncoding: 'none' });
    await expect.poll(async () => invocationsOf(app), eventually).toMatchObject([{ message: { plain: true } }]);
  });

  test('tries a message five times if the function throws, then moves it to the poison queue', async ({
    expect,
    onTestFinished,
  }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    const app = await testQueue.start();
    await testQueue.send({ throws: true });
    await expect.poll(async () => (await testQueue.poison()).length, eventually).toBe(1);
    expect((await invocationsOf(app)).map(({ dequeueCount }) => dequeueCount)).toEqual([1, 2, 3, 4, 5]);
    expect(await testQueue.length()).toBe(0);
    expect(app.output()).toContain('thrown on purpose');
  });

  test('waits for visibilityTimeout if the function throws, and tries maxDequeueCount times', async ({
    expect,
    onTestFinished,
  }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    const app = await testQueue.start({}, { visibilityTimeout: '00:00:02', maxDequeueCount: 2 });
    await testQueue.send({ throws: true });
    await expect.poll(async () => (await testQueue.poison()).length, eventually).toBe(1);
    const [first, second] = await invocationsOf(app);
    expect((second?.ms ?? 0) - (first?.ms ?? 0)).toBeGreaterThanOrEqual(1_900);
    expect(await invocationsOf(app)).toHaveLength(2);
  });

  test('processes at most batchSize + newBatchThreshold messages at once', async ({ expect, onTestFinished }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    // They end at different times, so that the trigger fetches new messages while others are in progress.
    await testQueue.send(...Array.from({ length: 20 }, (_, at) => ({ sleepMs: 500 + (at % 4) * 700 })));
    const app = await testQueue.start({}, { batchSize: 4, newBatchThreshold: 2 });
    await expect.poll(async () => (await invocationsOf(app)).length, eventually).toBe(20);
    expect(Math.max(...(await invocationsOf(app)).map(({ running }) => running))).toBe(6);
  });

  test('keeps a message hidden while the function runs longer than QUEUE_VISIBILITY_SECONDS', async ({
    expect,
    onTestFinished,
  }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    await testQueue.send({ sleepMs: 5_000 });
    const app = await testQueue.start({ QUEUE_VISIBILITY_SECONDS: '2' });
    await expect.poll(async () => testQueue.length(), eventually).toBe(0);
    expect(await invocationsOf(app)).toHaveLength(1);
  });

  test('if a host is killed, another gets the message with dequeue count 2', async ({ expect, onTestFinished }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    await testQueue.send({ sleepMs: 4_000 });
    const first = await testQueue.start({ QUEUE_VISIBILITY_SECONDS: '3' });
    await expect.poll(async () => (await invocationsOf(first)).length, eventually).toBe(1);
    await first.stop('SIGKILL');
    const second = await testQueue.start({ QUEUE_VISIBILITY_SECONDS: '3' });
    await expect.poll(async () => invocationsOf(second), eventually).toMatchObject([{ dequeueCount: 2 }]);
  });

  test('takes messages within 15 seconds after an empty queue if maxPollingInterval is 3 seconds', async ({
    expect,
    onTestFinished,
  }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    const app = await testQueue.start({}, { maxPollingInterval: '00:00:03' });
    await sleep(8_000);
    const sentAt = Date.now();
    await testQueue.send({}, {}, {});
    await expect.poll(async () => (await invocationsOf(app)).length, eventually).toBe(3);
    expect(Date.now() - sentAt).toBeLessThan(15_000);
  });

  test('waits for a queue that does not exist yet, without an error, and does not create it', async ({
    expect,
    onTestFinished,
  }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    await testQueue.queue.delete();
    const app = await testQueue.start();
    await sleep(500);
    expect(await testQueue.queue.exists()).toBe(false);
    await testQueue.queue.create();
    await testQueue.send({ late: true });
    await expect.poll(async () => invocationsOf(app), eventually).toMatchObject([{ message: { late: true } }]);
    expect(app.output()).not.toContain('cannot be read');
  });

  test.for(['AzureWebJobs.work.Disabled', 'AzureWebJobs_work_Disabled'])(
    'takes no messages if %s is true',
    async (name, { expect, onTestFinished }) => {
      const testQueue = await createTestQueue({ onTestFinished });
      await testQueue.send({});
      const app = await testQueue.start({ [name]: 'true' });
      await sleep(2_000);
      expect(await invocationsOf(app)).toEqual([]);
    },
  );

  test('finishes the message in progress when the host stops', async ({ expect, onTestFinished }) => {
    const testQueue = await createTestQueue({ onTestFinished });
    const app = await testQueue.start();
    await testQueue.send({ sleepMs: 2_000 });
    await expect.poll(async () => (await invocationsOf(app)).length, eventually).toBe(1);
    expect(await app.stop()).toBe(0);
    expect(await testQueue.length()).toBe(0);
  });
});
