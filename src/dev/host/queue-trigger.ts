import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../start/log.ts';
import { run } from './invocation.ts';
import { logFrom } from './logs.ts';
import type { QueueOptions } from './queue-options.ts';
import type { FunctionCallback, FunctionMetadata, ProgrammingModel, TypedData } from './registry.ts';

/** The shortest wait between two polls, in milliseconds. It doubles each time the queue is empty. */
const MIN_POLLING_MS = 100;
const SECOND_MS = 1_000;

/** A function with a queue trigger. */
export interface QueueFunction {
  metadata: FunctionMetadata;
  callback: FunctionCallback;
  /** The trigger binding's name. */
  trigger: string;
}

/** Options of a queue trigger. */
export interface QueueTriggerOptions extends QueueOptions {
  queue: QueueClient;
  /** The queue `NAME-poison`, which is created when it is first needed. */
  poisonQueue: QueueClient;
  /** Called before the first poll. Polling waits for it. */
  prepareQueue: (name: string) => Promise<unknown>;
  model: ProgrammingModel;
  log: Log;
}

/**
 * Emulates the queue trigger of the Functions host, as observed on host 4.1037 with Storage.Queues 5.3.10:
 * - It takes up to `batchSize` messages, and more when at most `newBatchThreshold` are in progress.
 * - It hides a message while the function runs, and deletes it when the function succeeds.
 * - If the function throws, it shows the message again. After `maxDequeueCount` attempts, it moves the message to the
 *   poison queue.
 * - It polls less often while the queue is empty.
 *
 * A storage fault ends the real host, including its HTTP functions. Here it is logged, and polling continues.
 */
export class QueueTrigger {
  readonly #function: QueueFunction;
  readonly #options: QueueTriggerOptions;
  readonly #source: string;
  readonly #inProgress = new Set<Promise<void>>();
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

  /** Stops polling, and resolves when the messages in progress are done. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#polling;
    await Promise.all(this.#inProgress);
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stop;
    const { newBatchThreshold, maxPollingMs } = this.#options;
    let waitMs = MIN_POLLING_MS;
    while (!signal.aborted) {
      const messages = await this.#receive();
      for (const message of messages) this.#take(message);
      while (this.#inProgress.size > newBatchThreshold && !signal.aborted) await Promise.race(this.#inProgress);
      waitMs = messages.length > 0 ? MIN_POLLING_MS : Math.min(waitMs * 2, maxPollingMs);
      // The real host varies its waits by a fifth, so that instances do not poll at the same time. After messages, it
      // does not wait.
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
      // Like the real host, wait for a queue that does not exist yet.
      const isExpected = this.#stop.signal.aborted || codeOf(error) === 'QueueNotFound';
      if (!isExpected) this.#log('error', `The queue ${queue.name} cannot be read: ${describe(error)}`);
      return [];
    }
  }

  #take(message: DequeuedMessageItem): void {
    const work = this.#process(message)
      .catch((error: unknown) => this.#log('error', `A message cannot be settled: ${describe(error)}`))
      .finally(() => this.#inProgress.delete(work));
    this.#inProgress.add(work);
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

  /** Decodes a message. Returns undefined if it is not in the encoding of host.json, which makes it poison. */
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
          // A queue message has no trace context.
          traceContext: { traceParent: undefined, traceState: undefined },
        },
        log: logFrom(this.#source, log),
      });
      return undefined;
    } catch (error) {
      return describe(error);
    }
  }

  /**
   * Hides the message again after half of its time, as long as the function runs. `stop` returns the valid pop receipt.
   */
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

/** Makes the trigger's metadata. As in the real host, top-level members of a JSON message overwrite it. */
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
