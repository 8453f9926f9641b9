import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startAzure } from '../../../src/dev/emulator/azure.ts';
import { startEntra } from '../../../src/dev/emulator/entra/entra.ts';
import { type App, startApp } from '../../e2e/app.ts';
import { type Asked, ask } from '../../e2e/ask.ts';
import { still } from '../../images/still.ts';
import { CREDENTIAL_CASES, type Cloud } from './cases.ts';
import { StandIns } from './stand-in.ts';

let cloud: Cloud;
let image: Buffer;
let app: App | undefined;
beforeAll(async () => {
  const [azure, files] = await Promise.all([startAzure({ record: true }), mkdtemp(join(tmpdir(), 'credentials-'))]);
  cloud = { azure, files, entra: await startEntra(azure.authority), standIns: new StandIns(files, azure.authority) };
  image = await still('image/png', 8, 8);
});
afterEach(async () => {
  await app?.stop();
  cloud.azure.reset();
});
afterAll(async () => {
  cloud.azure.close();
  await cloud.entra.close();
  await rm(cloud.files, { recursive: true });
});

test.each(CREDENTIAL_CASES)(
  '$name: the problem says why it fails and what to do, and once it is repaired, the app answers',
  async ({ credential, env, break: breakIt, repair, detail }) => {
    const variables = await env(cloud);
    await breakIt(cloud);
    app = await start(variables);
    const failed = await ask(app.url, image);
    expect(failed.json()).toMatchObject({ status: 503, code: 'identity_unavailable', credentials: [credential] });
    for (const part of detail) expect(failed.json()['detail']).toMatch(part);
    expectNoSecrets(failed, app);

    await repair(cloud);
    const answered = await ask(app.url, image);
    expect(answered.text).toContain('PNG image of 8 x 8 pixels');
    const clientIds = [...cloud.azure.identity.requests, ...cloud.azure.imds.requests].map(
      ({ query }) => query.get('client_id') ?? '',
    );
    expect(new Set(clientIds)).toEqual(
      new Set(credential === 'ManagedIdentityCredential' ? [variables['AZURE_CLIENT_ID']] : []),
    );
  },
);

test('device code: fails if the user declines the sign-in, and answers once the user approves it', async () => {
  app = await start({ ...cloud.entra.env, AZURE_OPENAI_AUTH: 'device-code' });
  const declined = ask(app.url, image);
  cloud.entra.person.decide(await userCode(app, 1), 'declined');
  expect((await declined).json()).toMatchObject({
    code: 'identity_unavailable',
    detail: expect.stringContaining('the sign-in was declined'),
  });

  const approved = ask(app.url, image);
  cloud.entra.person.decide(await userCode(app, 2), 'approved');
  expect((await approved).status).toBe(200);
});

test('device code: a request waits for the user until its deadline at most, and the code stays valid', async () => {
  app = await start({ ...cloud.entra.env, AZURE_OPENAI_AUTH: 'device-code', REQUEST_TIMEOUT_SECONDS: '1' });
  const late = await ask(app.url, image);
  expect(late.json()).toMatchObject({
    code: 'identity_unavailable',
    detail: expect.stringMatching(/is waiting for somebody to sign in.+enter the code/),
  });
  cloud.entra.person.decide(await userCode(app, 1), 'approved');
  await expect.poll(async () => (await ask(app?.url ?? '', image)).status, { timeout: 5_000 }).toBe(200);
  expect(app.output().match(/enter the code/g)).toHaveLength(1);
});

test('the default chain uses the first credential that is set up', async () => {
  await cloud.standIns.failing('az', 'ERROR: must not be asked');
  const { clientId, secret } = cloud.entra.application;
  app = await start({
    ...cloud.azure.env,
    ...cloud.entra.env,
    AZURE_TOKEN_CREDENTIALS: '',
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: secret,
  });
  expect((await ask(app.url, image)).status).toBe(200);
  expect(cloud.azure.identity.requests).toEqual([]);
});

test('the chain "dev" skips credentials that are not set up', async () => {
  await cloud.standIns.az();
  app = await start({ AZURE_TOKEN_CREDENTIALS: 'dev' });
  expect((await ask(app.url, image)).status).toBe(200);
});

test.each(['2024-10-21', 'v1'])('a key works on a developer machine, with the API version %s', async (version) => {
  app = await start({ AZURE_OPENAI_AUTH: 'key', AZURE_OPENAI_API_KEY: cloud.azure.key, OPENAI_API_VERSION: version });
  expect((await ask(app.url, image)).status).toBe(200);
});

async function start(env: Record<string, string>): Promise<App> {
  const { AZURE_OPENAI_ENDPOINT = '', AZURE_OPENAI_DEPLOYMENT = '' } = cloud.azure.env;
  return startApp({
    AZURE_OPENAI_ENDPOINT,
    AZURE_OPENAI_DEPLOYMENT,
    PATH: cloud.standIns.directory,
    NO_PROXY: '127.0.0.1',
    ...env,
  });
}

/** The code of the `nth` device sign-in, once the app has printed it. */
async function userCode(from: App, nth: number): Promise<string> {
  const codes = (): string[] => [...from.output().matchAll(/enter the code (\w+)/g)].map(([, code = '']) => code);
  await expect.poll(() => codes().length, { timeout: 5_000 }).toBe(nth);
  return codes()[nth - 1] ?? '';
}

function expectNoSecrets({ text }: Asked, from: App): void {
  const { secret, certificate } = cloud.entra.application;
  const secrets = [secret, certificate.key.slice(40, 80), 'Trace ID', 'troubleshoot', 'eyJ'];
  for (const each of secrets) expect(text + from.output()).not.toContain(each);
}
