import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { readSettings } from '../../src/config/settings.ts';
import { queueOptions, QueueSettings } from '../../src/dev/host/queue-options.ts';
import { LIMITS } from '../../src/jobs/work.ts';

const HOST_JSON = fileURLToPath(new URL('../../host.json', import.meta.url));
const HostJson = v.looseObject({
  functionTimeout: v.pipe(v.string(), v.regex(/^00:\d\d:00$/)),
  extensions: v.object({ queues: QueueSettings }),
  logging: v.object({ logLevel: v.record(v.string(), v.string()) }),
});
const { functionTimeout, extensions, logging, ...others } = v.parse(
  HostJson,
  JSON.parse(readFileSync(HOST_JSON, 'utf8')),
);
const queues = queueOptions(extensions.queues);
const { jobs } = readSettings({
  AZURE_OPENAI_ENDPOINT: 'https://account.openai.azure.com/',
  AZURE_OPENAI_DEPLOYMENT: 'vision',
  JOBS_STORAGE_ACCOUNT: 'account',
});

test('an instance fetches as many messages as it works on at once, and lets as many again wait', () => {
  expect(queues.batchSize).toBe(jobs?.concurrency);
  expect(queues.newBatchThreshold).toBe(jobs?.concurrency);
});

test('the work on a message ends before the host stops the process and before another instance gets it', () => {
  const timeoutMs = Number(functionTimeout.split(':')[1]) * 60_000;
  const { answerMs, keepMs, sendMs } = LIMITS;
  expect(answerMs + keepMs + sendMs).toBeLessThan(timeoutMs);
  expect(answerMs + keepMs + sendMs).toBeLessThan(queues.visibilitySeconds * 1_000);
});

test('a failed message is retried after 10 s at the earliest, and a new one is found within 5 s', () => {
  expect(queues.retryVisibilitySeconds).toBeGreaterThanOrEqual(10);
  expect(queues.maxPollingMs).toBeLessThanOrEqual(5_000);
});

test('the host does not log token requests and does not download extensions', () => {
  expect(logging.logLevel['Azure.Identity']).toBe('Warning');
  expect(others).not.toHaveProperty('extensionBundle');
});
