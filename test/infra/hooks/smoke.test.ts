import { createServer } from 'node:http';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { askOnce, waitUntilAlive } from '../../../infra/hooks/smoke.ts';
import { listen } from '../../../src/dev/start/listen.ts';
import { running } from './running.ts';

const BRIEFLY = { seconds: 8, everySeconds: 0.1 };
const logged = vi.spyOn(console, 'log').mockImplementation(() => undefined);
beforeEach(() => void logged.mockClear());

describe('the question after a deployment', () => {
  test('is asked again until the role applies', async () => {
    const { url, azure } = await running();
    await waitUntilAlive(url, BRIEFLY);
    expect(await askOnce(url, 'key', BRIEFLY)).toContain('A JPEG image of 960 x 640 pixels');
    azure.revoke();
    setTimeout(() => azure.allow(), 1_000);
    const asked = azure.model.requests.length;
    expect(await askOnce(url, 'key', BRIEFLY)).toContain('A JPEG image of 960 x 640 pixels');
    expect(azure.model.requests.length).toBeGreaterThan(asked + 1);
  });

  test('fails with the reason if the role does not apply in time', async () => {
    const { url, azure } = await running();
    azure.model.fail({ status: 401 }, Infinity);
    await expect(askOnce(url, 'key', { seconds: 1, everySeconds: 0.2 })).rejects.toThrow(
      /^model_access_denied: .*Cognitive Services OpenAI User/,
    );
  });

  test('fails at once if waiting cannot fix the failure', async () => {
    const { url, azure } = await running({ AZURE_OPENAI_API_KEY: 'forgotten', WEBSITE_SITE_NAME: 'my-app' });
    await expect(askOnce(url, 'key', BRIEFLY)).rejects.toThrow(/^misconfigured: .*AZURE_OPENAI_API_KEY/);
    expect(logged).not.toHaveBeenCalled();
    expect(azure.model.requests).toEqual([]);
  });

  test('waitUntilAlive fails if the app has no functions', async () => {
    const empty = createServer((_request, response) => response.writeHead(404).end());
    const url = `http://127.0.0.1:${await listen(empty, 0)}`;
    onTestFinished(() => void empty.close());
    await expect(waitUntilAlive(url, { seconds: 0.3, everySeconds: 0.1 })).rejects.toThrow(
      'The app has no functions (404)',
    );
  });
});
