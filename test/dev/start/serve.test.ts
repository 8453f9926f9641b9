import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listen } from '../../../src/dev/start/listen.ts';
import { writeTinyApp } from '../host/tiny-app.ts';

const serve = fileURLToPath(new URL('../../../src/dev/start/serve.ts', import.meta.url));
const npmStart = fileURLToPath(new URL('../../../src/dev/start/start.ts', import.meta.url));
const REAL = { AZURE_OPENAI_ENDPOINT: 'https://example.openai.azure.com/' };

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'serve-'));
  // An app that does not start. The message of its error has the settings that it gets.
  await writeFile(join(dir, 'package.json'), JSON.stringify({ type: 'module', main: 'index.js' }));
  await writeFile(join(dir, 'host.json'), '{}');
  await writeFile(join(dir, 'index.js'), `throw new Error(JSON.stringify({ ...process.env }))`);
});
afterEach(() => rm(dir, { recursive: true }));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Serves the app until it ends. */
async function start(env: Record<string, string>, app = dir): Promise<Ended> {
  return execute([serve, app], env);
}

/** Runs a script in the directory until it ends. */
async function execute(args: readonly string[], env: Record<string, string>): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { cwd: dir, env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], PORT: '0', ...env } },
      (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

async function settingsOfApp(env: Record<string, string>): Promise<unknown> {
  return JSON.parse((await start(env)).stderr);
}

describe('settings', () => {
  test('come from the environment first, then from local.settings.json, then from .env', async () => {
    await writeFile(
      join(dir, 'local.settings.json'),
      JSON.stringify({ Values: { A: 'file', B: 'file', EMPTY: 'file' } }),
    );
    await writeFile(join(dir, '.env'), 'A=dot\nB=dot\nC=dot\n');
    expect(await settingsOfApp({ ...REAL, A: 'env', EMPTY: '' })).toMatchObject({
      A: 'env',
      B: 'file',
      C: 'dot',
      EMPTY: '',
    });
  });

  test.each([
    ['{ "Values": { "KEY": "a secret", } ', 'local.settings.json is not JSON'],
    ['{ "IsEncrypted": true, "Values": { } }', 'func settings decrypt'],
    ['{ "Values": { "MAX_IMAGES": 3 } }', 'Values.MAX_IMAGES must be a string'],
  ])('startup fails without a stack or a secret if local.settings.json is %s', async (text, reason) => {
    await writeFile(join(dir, 'local.settings.json'), text);
    const { code, stderr } = await start(REAL);
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
    expect(stderr).not.toMatch(/secret|^ +at /m);
  });
});

describe('Azure', () => {
  test.each([[{}], [{ AZURE_OPENAI_ENDPOINT: '' }], [{ GPT4V_ENDPOINT: ' ' }]])('is emulated with %j', async (env) => {
    expect(await settingsOfApp(env)).toMatchObject({
      AZURE_OPENAI_ENDPOINT: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/),
      AZURE_OPENAI_DEPLOYMENT: 'gpt-vision',
      IDENTITY_ENDPOINT: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/msi\/token$/),
      AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    });
  });

  test.each(['AZURE_OPENAI_DEPLOYMENT', 'GPT4V_DEPLOYMENT'])('is not emulated if only %s is set', async (name) => {
    const { code, stderr } = await start({ [name]: 'vision' });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `${name} is set, but AZURE_OPENAI_ENDPOINT is not. ` +
        'Set both to ask your deployment, or neither to emulate Azure.\n',
    );
  });

  test.each([[REAL], [{ GPT4V_ENDPOINT: REAL.AZURE_OPENAI_ENDPOINT }]])('is not emulated with %j', async (env) => {
    expect(await settingsOfApp(env)).not.toHaveProperty('IDENTITY_ENDPOINT');
  });
});

describe('startup fails', () => {
  test('if the port is taken: npm start says how to choose another before it builds or writes anything', async () => {
    const other = createServer();
    const port = await listen(other, 0);
    const before = await readdir(dir);
    const { code, stdout, stderr } = await execute([npmStart], { PORT: String(port) });
    expect(stderr).toMatch(new RegExp(`^Port ${port} is taken.*PORT=`));
    expect([code, stdout, await readdir(dir)]).toEqual([1, '', before]);
    other.close();
  });

  test('with the same message if the port is taken while the app loads', async () => {
    const app = await writeTinyApp(`import { createServer } from 'node:net';
      import { app } from '@azure/functions';
      app.setup({ enableHttpStream: true });
      app.get('a', () => ({}));
      await new Promise((resolve) => createServer().listen(Number(process.env.PORT), '127.0.0.1', resolve));`);
    const other = createServer();
    const port = await listen(other, 0);
    await new Promise((resolve) => other.close(resolve));
    const { code, stderr } = await start({ ...REAL, PORT: String(port) }, app);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^Port ${port} is taken.*PORT=`));
    await rm(app, { recursive: true });
  });

  test.each(['x', '-1', '70000'])('if PORT is %s', async (PORT) => {
    await writeFile(join(dir, 'index.js'), '');
    expect(await start({ ...REAL, PORT })).toMatchObject({ code: 1, stderr: expect.stringContaining('PORT must be') });
  });
});

test('startup in a directory without an app fails and names npm run build', async () => {
  const { code, stderr } = await start(REAL, join(dir, 'nowhere'));
  expect([code, stderr]).toEqual([1, expect.stringContaining('npm run build')]);
});

test('startup prints the stack if the app has a bug', async () => {
  await writeFile(join(dir, 'index.js'), 'undefinedFunction();');
  expect((await start(REAL)).stderr).toMatch(/ReferenceError[^]*index\.js/);
});
