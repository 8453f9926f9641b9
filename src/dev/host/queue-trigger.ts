import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../start/log.ts';
import { run } from './invocation.ts';
import { logFrom } from './logs.ts';
import type { QueueOptions } from './queue-options.ts';
import type { FunctionCallback, FunctionMetadata, ProgrammingModel, TypedData } from './registry.ts';

/** The shortest wait for a message, in milliseconds; each empty answer doubles it. */
const MIN_POLLING_MS = 100;
const SECOND_MS = 1_000;

/** A function with a queue trigger. */
export interface QueueFunction {
  metadata: FunctionMetadata;
  callback: FunctionCallback;
  /** The trigger binding's name. */
  trigger: string;
}

/** What a queue trigger works with. */
export interface QueueTriggerOptions extends QueueOptions {
  queue: QueueClient;
  /** `NAME-poison`, which is created when it is first needed. */
  poisonQueue: QueueClient;
  /** Is awaited before the first poll. */
  prepareQueue: (name: string) => Promise<unknown>;
  model: ProgrammingModel;
  log: Log;
}

/**
 * Plays the queue trigger of the Functions host, as seen on host 4.1037 with Storage.Queues 5.3.10: it takes up to
 * `batchSize` messages, and more when no more than `newBatchThreshold` are in hand; hides a message while it is worked
 * on; deletes it when the function succeeds, shows it again when it throws, and moves it to the poison queue after
 * `maxDequeueCount` attempts. When the queue is empty, polling slows down.
 *
 * A storage fault ends the real host, and with it its HTTP functions. Here it is logged, and polling goes on.
 */
export class QueueTrigger {
  readonly #function: QueueFunction;
  readonly #options: QueueTriggerOptions;
  readonly #source: string;
  readonly #inHand = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #polling: Promise<void>;

  constructor(queueFunction: QueueFunction, options: QueueTriggerOptions) {
    this.#function = queueFunction;
    this.#options = options;
    this.#source = `Functions.${queueFunction.metadata.name}`;
    this.#polling = options
      .prepareQueue(options.queue.name)
      .then(async () => this.#poll())
      .catch((error: unknown) =>
        this.#log('error', `The queue ${options.queue.name} is not polled: ${describe(error)}`),
      );
  }

  /** Takes no further message, and resolves when those in hand are done. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#polling;
    await Promise.all(this.#inHand);
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stop;
    const { newBatchThreshold, maxPollingMs } = this.#options;
    let waitMs = MIN_POLLING_MS;
    while (!signal.aborted) {
      const messages = await this.#receive();
      for (const message of messages) this.#take(message);
      while (this.#inHand.size > newBatchThreshold && !signal.aborted) await Promise.race(this.#inHand);
      waitMs = messages.length > 0 ? MIN_POLLING_MS : Math.min(waitMs * 2, maxPollingMs);
      // The real host spreads its waits by a fifth, so that instances do not poll in step. After messages it does not wait.
      const spread = 0.8 + 0.4 * Math.random();
      if (messages.length === 0) await sleep(waitMs * spread, undefined, { signal }).catch(() => undefined);
    }
  }

  async #receive(): Promise<readonly DequeuedMessageItem[]> {
    const { queue, batchSize, visibilitySeconds } = this.#options;
    try {
      const answer = await queue.receiveMessages({
        numberOfMessages: batchSize,
        visibilityTimeout: visibilitySeconds,
        abortSignal: this.#stop.signal,
      });
      return answer.receivedMessageItems;
    } catch (error) {
      // The real host, too, waits for a queue that is not there yet.
      const isExpected = this.#stop.signal.aborted || codeOf(error) === 'QueueNotFound';
      if (!isExpected) this.#log('error', `The queue ${queue.name} cannot be read: ${describe(error)}`);
      return [];
    }
  }

  #take(message: DequeuedMessageItem): void {
    const work = this.#process(message)
      .catch((error: unknown) => this.#log('error', `A message cannot be settled: ${describe(error)}`))
      .finally(() => this.#inHand.delete(work));
    this.#inHand.add(work);
  }

  async #process(message: DequeuedMessageItem): Promise<void> {
    const { queue, maxDequeueCount, retryVisibilitySeconds } = this.#options;
    const text = this.#decode(message.messageText);
    if (text === undefined || message.dequeueCount > maxDequeueCount) return this.#poison(message, message.popReceipt);

    const receipt = this.#keepHidden(message);
    const failure = await this.#invoke(message, text);
    const popReceipt = await receipt.stop();
    if (!failure) {
      await queue.deleteMessage(message.messageId, popReceipt);
      return;
    }
    this.#log('error', failure);
    if (message.dequeueCount >= maxDequeueCount) return this.#poison(message, popReceipt);
    await queue.updateMessage(message.messageId, popReceipt, message.messageText, retryVisibilitySeconds);
  }

  /** The message's words; undefined if it is not in the encoding that the host expects, which makes it poison. */
  #decode(text: string): string | undefined {
    if (this.#options.messageEncoding === 'none') return text;
    const bytes = Buffer.from(text, 'base64');
    return bytes.toString('base64') === text ? bytes.toString() : undefined;
  }

  async #invoke(message: DequeuedMessageItem, text: string): Promise<string | undefined> {
    const { model, log } = this.#options;
    const { metadata, callback, trigger } = this.#function;
    try {
      await run(model, callback, {
        invocationId: randomUUID(),
        metadata,
        request: {
          inputData: [{ name: trigger, data: { string: text } }],
          triggerMetadata: triggerMetadata(message, text),
          // A message has no trace of its own.
          traceContext: { traceParent: undefined, traceState: undefined },
        },
        log: logFrom(this.#source, log),
      });
      return undefined;
    } catch (error) {
      return describe(error);
    }
  }

  /** Hides the message again at half of its time, as long as the function runs; the last pop receipt is the valid one. */
  #keepHidden({ messageId, messageText, popReceipt: first }: DequeuedMessageItem): { stop(): Promise<string> } {
    const { queue, visibilitySeconds } = this.#options;
    let popReceipt = first;
    let renewal: Promise<void> = Promise.resolve();
    const timer = setInterval(
      () => {
        renewal = queue.updateMessage(messageId, popReceipt, messageText, visibilitySeconds).then(
          (renewed) => void (popReceipt = renewed.popReceipt ?? popReceipt),
          (error: unknown) => this.#log('warning', `A message cannot be kept hidden: ${describe(error)}`),
        );
      },
      (visibilitySeconds * SECOND_MS) / 2,
    );
    return {
      async stop() {
        clearInterval(timer);
        await renewal;
        return popReceipt;
      },
    };
  }

  async #poison({ messageId, messageText }: DequeuedMessageItem, popReceipt: string): Promise<void> {
    const { queue, poisonQueue } = this.#options;
    this.#log('warning', `Message ${messageId} goes to the queue ${poisonQueue.name}.`);
    await poisonQueue.createIfNotExists();
    await poisonQueue.sendMessage(messageText);
    await queue.deleteMessage(messageId, popReceipt);
  }

  #log(level: 'warning' | 'error', text: string): void {
    this.#options.log(level, this.#source, text);
  }
}

/** As in the real host, top-level members of a JSON message overwrite what the trigger says of the message. */
function triggerMetadata(message: DequeuedMessageItem, text: string): Record<string, TypedData> {
  const { messageId, dequeueCount, popReceipt, insertedOn, expiresOn, nextVisibleOn } = message;
  return {
    QueueTrigger: { string: text },
    Id: { string: messageId },
    DequeueCount: { json: String(dequeueCount) },
    PopReceipt: { string: popReceipt },
    InsertionTime: { json: JSON.stringify(insertedOn) },
    ExpirationTime: { json: JSON.stringify(expiresOn) },
    NextVisibleTime: { json: JSON.stringify(nextVisibleOn) },
    ...membersOf(text),
  };
}

function membersOf(text: string): Record<string, TypedData> {
  if (!text.startsWith('{')) return {};
  try {
    const members: Record<string, unknown> = JSON.parse(text);
    return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, { json: JSON.stringify(value) }]));
  } catch {
    return {};
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
