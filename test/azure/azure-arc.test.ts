import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createIdentity } from '../../src/azure/identity.ts';
import { readSettings } from '../../src/config/settings.ts';
import { listen } from '../../src/dev/start/listen.ts';

let headers: Record<string, string>;
let url: string;
const agent = createServer((_request, response) => response.writeHead(401, headers).end());
beforeAll(async () => void (url = `http://127.0.0.1:${await listen(agent, 0)}`));
afterAll(() => void agent.close());

// The library detects its platform and endpoint only once per process, so these tests have a file of their own.
test.each([
  {
    answer: { 'www-authenticate': 'Basic realm=/var/opt/azcmagent/tokens/unreadable.key' },
    said: 'key file',
    next: 'group himds',
  },
  { answer: {}, said: 'www_authenticate_header_missing', next: 'restart the agent' },
  { answer: { 'www-authenticate': 'Digest x' }, said: 'www_authenticate', next: 'restart the agent' },
  { answer: { 'www-authenticate': 'Basic realm=/etc/passwd' }, said: 'invalid_file', next: 'restart the agent' },
])('the problem of a failed Azure Arc agent says "$said" and advises "$next"', async ({ answer, said, next }) => {
  headers = answer;
  onTestFinished(() => void vi.unstubAllEnvs());
  const variables = {
    AZURE_OPENAI_ENDPOINT: 'http://127.0.0.1:9/',
    AZURE_OPENAI_DEPLOYMENT: 'x',
    AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    IDENTITY_ENDPOINT: `${url}/metadata/identity/oauth2/token`,
    IMDS_ENDPOINT: url,
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  await expect(createIdentity(readSettings(variables), variables)?.get()).rejects.toMatchObject({
    code: 'identity_unavailable',
    members: { attempts: [{ credential: 'ManagedIdentityCredential', said: expect.stringContaining(said) }] },
    detail: expect.stringContaining(next),
  });
});
