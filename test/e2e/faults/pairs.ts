import { type AzureOptions, startAzure } from '../../../src/dev/emulator/azure.ts';
import { startApp } from '../app.ts';
import { keepAllThatReaches } from '../secrets.ts';
import type { Scene } from './fault.ts';
import { startRelay } from './relay.ts';

/** The SDK's retries. One shows as much as two. */
export const RETRIES = 1;
/** The time limit of each request. */
export const DEADLINE_MS = 3_000;
export const MAX_IMAGE_BYTES = 300_000;
export const MAX_BODY_BYTES = 1_000_000;
/** The limit for all requests together; a single request may exceed it if no other is in progress. */
export const INFLIGHT_BYTES = 300_000;

const LIMITS = {
  REQUEST_TIMEOUT_SECONDS: String(DEADLINE_MS / 1000),
  UPSTREAM_MAX_RETRIES: String(RETRIES),
  MAX_IMAGE_BYTES: String(MAX_IMAGE_BYTES),
  MAX_BODY_BYTES: String(MAX_BODY_BYTES),
  MAX_INFLIGHT_BYTES: String(INFLIGHT_BYTES),
};

/** Pairs of the built app and an emulated Azure. Each serves one test at a time, so faults affect no other test. */
export class Pairs {
  readonly #idle: Scene[] = [];
  readonly #waiting: ((scene: Scene) => void)[] = [];

  constructor(scenes: readonly Scene[]) {
    this.#idle.push(...scenes);
  }

  /** Lends a pair that is not in use. */
  async lend<T>(use: (scene: Scene) => Promise<T>): Promise<T> {
    const scene = this.#idle.pop() ?? (await new Promise<Scene>((resolve) => this.#waiting.push(resolve)));
    try {
      return await use(scene);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(scene);
      else this.#idle.push(scene);
    }
  }
}

/** Starts this many pairs, each with a relay in between and with low limits. */
export async function startPairs(
  count: number,
  env: Readonly<Record<string, string>> = {},
  options: AzureOptions = {},
): Promise<Scene[]> {
  return Promise.all(Array.from({ length: count }, async () => startPair(env, options)));
}

/** Stops pairs that {@link startPairs} has started. */
export async function stopPairs(scenes: readonly Scene[]): Promise<void> {
  for (const { app, azure, relay } of scenes) {
    try {
      await app.stop();
    } finally {
      azure.close();
      relay.close();
    }
  }
}

async function startPair(env: Readonly<Record<string, string>>, options: AzureOptions): Promise<Scene> {
  const azure = keepAllThatReaches(await startAzure({ record: true, ...options }));
  const { port } = new URL(azure.env['AZURE_OPENAI_ENDPOINT'] ?? '');
  const relay = await startRelay(Number(port));
  const throughRelay = Object.entries(azure.env).map(([name, value]) => [
    name,
    value.replace(`:${port}/`, `:${relay.port}/`),
  ]);
  const app = await startApp({ ...Object.fromEntries(throughRelay), ...LIMITS, ...env });
  return { app, azure, relay };
}
