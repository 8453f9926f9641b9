import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test, type TestContext } from 'vitest';
import * as v from 'valibot';
import { type EmulatedAzure, startAzure } from '../../../src/dev/emulator/azure.ts';
import { type EmulatedStorage, startStorage } from '../../../src/dev/emulator/storage.ts';
import { startTinyApp, type TinyApp } from './tiny-app.ts';

/** The real host and extension on which all of this was seen, on 2026-11-26. */
const SEEN_ON = 'as host 4.1037 with Storage.Queues 5.3.10 does';

const Seen = v.array(
  v.object({ message: v.unknown(), dequeueCount: v.unknown(), id: v.unknown(), inHand: v.number(), ms: v.number() }),
);
type Seen = v.InferOutput<typeof Seen>;

/** Notes what it is given; what it does then is in the message. */
const queueApp = `
import { app } from '@azure/functions';
import { setTimeout as sleep } from 'node:timers/promises';
const seen = [];
let inHand = 0;
app.setup({ enableHttpStream: true });
app.get('seen', () => ({ jsonBody: seen }));
app.storageQueue('work', { queueName: '%WORK_QUEUE%', connection: 'JobsStorage', handler: async (message, { triggerMetadata }) => {
  inHand += 1;
  const { dequeueCount, id } = triggerMetadata;
  seen.push({ message, dequeueCount, id, inHand, ms: Date.now() });
  await sleep(message.sleepMs ?? 0);
  inHand -= 1;
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

/** A queue of a test's own, and what is done with it. */
class OwnQueue {
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

  async end(): Promise<void> {
    await Promise.all(this.#apps.map(async (app) => app.stop()));
  }
}

async function ownQueue({ onTestFinished }: Pick<TestContext, 'onTestFinished'>): Promise<OwnQueue> {
  const own = new OwnQueue();
  await own.queue.create();
  onTestFinished(async () => own.end());
  return own;
}

async function seenBy({ url }: TinyApp): Promise<Seen> {
  return v.parse(Seen, await (await fetch(`${url}/v1/seen`)).json());
}

/** A dozen apps start at once, each in a process of its own. */
const eventually = { timeout: 60_000, interval: 100 };

describe.concurrent(`a queue trigger, ${SEEN_ON}`, { timeout: 120_000 }, () => {
  test('hands on base64 JSON, parsed, and deletes the message', async ({ expect, onTestFinished }) => {
    const own = await ownQueue({ onTestFinished });
    const app = await own.start();
    await own.send({ ask: 'what' });
    await expect
      .poll(async () => (await seenBy(app)).map(({ message }) => message), eventually)
      .toEqual([{ ask: 'what' }]);
    expect((await seenBy(app))[0]).toMatchObject({ dequeueCount: 1, id: expect.stringMatching(/^[\da-f-]{36}$/) });
    await expect.poll(async () => own.length(), eventually).toBe(0);
  });

  test('lets members of the JSON overwrite what it says of the message', async ({ expect, onTestFinished }) => {
    const own = await ownQueue({ onTestFinished });
    const app = await own.start();
    await own.send({ dequeueCount: 'mine', id: 7 });
    await expect.poll(async () => seenBy(app), eventually).toMatchObject([{ dequeueCount: 'mine', id: 7 }]);
  });

  test('sends a plain message to the poison queue at once, unless messageEncoding is none', async ({
    expect,
    onTestFinished,
  }) => {
    const own = await ownQueue({ onTestFinished });
    await own.queue.sendMessage('{"plain":true}');
    await own.start();
    await expect.poll(async () => own.poison(), eventually).toEqual(['{"plain":true}']);
  });

  test('takes a plain message with messageEncoding none', async ({ expect, onTestFinished }) => {
    const own = await ownQueue({ onTestFinished });
    await own.queue.sendMessage('{"plain":true}');
    const app = await own.start({}, { messageEncoding: 'none' });
    await expect.poll(async () => seenBy(app), eventually).toMatchObject([{ message: { plain: true } }]);
  });

  test('tries a message that throws again at once, five times, and then moves it to the poison queue', async ({
    expect,
    onTestFinished,
  }) => {
    const own = await ownQueue({ onTestFinished });
    const app = await own.start();
    await own.send({ throws: true });
    await expect.poll(async () => (await own.poison()).length, eventually).toBe(1);
    expect((await seenBy(app)).map(({ dequeueCount }) => dequeueCount)).toEqual([1, 2, 3, 4, 5]);
    expect(await own.length()).toBe(0);
    expect(app.output()).toContain('thrown on purpose');
  });

  test('waits for visibilityTimeout after a throw, and counts to maxDequeueCount', async ({
    expect,
    onTestFinished,
  }) => {
    const own = await ownQueue({ onTestFinished });
    const app = await own.start({}, { visibilityTimeout: '00:00:02', maxDequeueCount: 2 });
    await own.send({ throws: true });
    await expect.poll(async () => (await own.poison()).length, eventually).toBe(1);
    const [first, second] = await seenBy(app);
    expect((second?.ms ?? 0) - (first?.ms ?? 0)).toBeGreaterThanOrEqual(1_900);
    expect(await seenBy(app)).toHaveLength(2);
  });

  test('has at most batchSize + newBatchThreshold messages in hand', async ({ expect, onTestFinished }) => {
    const own = await ownQueue({ onTestFinished });
    // They end one after the other, so that there is room for a few while some are still in hand.
    await own.send(...Array.from({ length: 20 }, (_, at) => ({ sleepMs: 500 + (at % 4) * 700 })));
    const app = await own.start({}, { batchSize: 4, newBatchThreshold: 2 });
    await expect.poll(async () => (await seenBy(app)).length, eventually).toBe(20);
    expect(Math.max(...(await seenBy(app)).map(({ inHand }) => inHand))).toBe(6);
  });

  test('keeps a message hidden while its function runs', async ({ expect, onTestFinished }) => {
    const own = await ownQueue({ onTestFinished });
    await own.send({ sleepMs: 5_000 });
    const app = await own.start({ QUEUE_VISIBILITY_SECONDS: '2' });
    await expect.poll(async () => own.length(), eventually).toBe(0);
    expect(await seenBy(app)).toHaveLength(1);
  });

  test('takes a message again whose host was killed, with a dequeue count of 2', async ({ expect, onTestFinished }) => {
    const own = await ownQueue({ onTestFinished });
    await own.send({ sleepMs: 4_000 });
    const first = await own.start({ QUEUE_VISIBILITY_SECONDS: '3' });
    await expect.poll(async () => (await seenBy(first)).length, eventually).toBe(1);
    await first.stop('SIGKILL');
    const second = await own.start({ QUEUE_VISIBILITY_SECONDS: '3' });
    await expect.poll(async () => seenBy(second), eventually).toMatchObject([{ dequeueCount: 2 }]);
  });

  test('waits longer and longer on an empty queue, up to maxPollingInterval', async ({ expect, onTestFinished }) => {
    const own = await ownQueue({ onTestFinished });
    const app = await own.start({}, { maxPollingInterval: '00:00:03' });
    await sleep(8_000);
    const sentAt = Date.now();
    await own.send({}, {}, {});
    await expect.poll(async () => (await seenBy(app)).length, eventually).toBe(3);
    expect(Date.now() - sentAt).toBeLessThan(15_000);
  });

  test('waits for a queue that is not there yet, and does not make it', async ({ expect, onTestFinished }) => {
    const own = await ownQueue({ onTestFinished });
    await own.queue.delete();
    const app = await own.start();
    await sleep(500);
    expect(await own.queue.exists()).toBe(false);
    await own.queue.create();
    await own.send({ late: true });
    await expect.poll(async () => seenBy(app), eventually).toMatchObject([{ message: { late: true } }]);
    expect(app.output()).not.toContain('cannot be read');
  });

  test.for(['AzureWebJobs.work.Disabled', 'AzureWebJobs_work_Disabled'])(
    'is off with %s',
    async (name, { expect, onTestFinished }) => {
      const own = await ownQueue({ onTestFinished });
      await own.send({});
      const app = await own.start({ [name]: 'true' });
      await sleep(2_000);
      expect(await seenBy(app)).toEqual([]);
    },
  );

  test('finishes what is in hand when the host ends', async ({ expect, onTestFinished }) => {
    const own = await ownQueue({ onTestFinished });
    const app = await own.start();
    await own.send({ sleepMs: 2_000 });
    await expect.poll(async () => (await seenBy(app)).length, eventually).toBe(1);
    expect(await app.stop()).toBe(0);
    expect(await own.length()).toBe(0);
  });
});
