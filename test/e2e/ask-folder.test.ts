import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { listen } from '../../src/dev/start/listen.ts';
import { FULL, some } from '../tier.ts';
import { type App, startBoth } from './app.ts';

const ASK = fileURLToPath(new URL('../../src/dev/ask/ask.ts', import.meta.url));
const IMAGE = fileURLToPath(new URL('../images/sailboat-small.webp', import.meta.url));
const CONCURRENCY = 8;
const MANY = FULL ? 300 : 60;
/** The number of images that are answered before each interruption. */
const INTERRUPTED_AFTER = some([MANY / 5, MANY / 2], 2);

let app: App;
let azure: EmulatedAzure;
let folder: string;
beforeAll(async () => {
  // The app does not retry, so that the model's errors reach the command.
  ({ app, azure } = await startBoth({ UPSTREAM_MAX_RETRIES: '0' }, { answerDelayMs: 30 }));
});
beforeEach(async () => {
  azure.reset();
  folder = await mkdtemp(join(tmpdir(), 'ask-'));
  onTestFinished(() => rm(folder, { recursive: true }));
});
afterAll(() => app.stop());

interface Command {
  child: ChildProcessByStdio<null, Readable, Readable>;
  output(): string;
  ended: Promise<number | null>;
}

/** Starts the script of `npm run ask` with these arguments. */
function ask(...args: string[]): Command {
  const child = spawn(process.execPath, [ASK, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return { child, output: () => output, ended: once(child, 'close').then(() => child.exitCode) };
}

function askAboutAll(...options: string[]): Command {
  return ask('images', 'What is this?', '--url', app.url, '--concurrency', String(CONCURRENCY), ...options);
}

async function writeImages(count: number): Promise<string[]> {
  const names = Array.from(
    { length: count },
    (_, at) => `${at % 3 === 0 ? 'more/' : ''}${at}.${at % 2 ? 'webp' : 'WEBP'}`,
  );
  await mkdir(join(folder, 'images/more'), { recursive: true });
  for (const name of names) await copyFile(IMAGE, join(folder, 'images', name));
  await writeFile(join(folder, 'images/notes.txt'), 'no image');
  return names.toSorted();
}

async function linesOf(file: string): Promise<string[]> {
  const text = await readFile(join(folder, file), 'utf8').catch(() => '');
  return text.split('\n').slice(0, -1);
}

async function filesIn(file: string): Promise<string[]> {
  const lines = await linesOf(file);
  return lines.map((line) => (JSON.parse(line) as { file: string }).file);
}

function modelCalls(): number {
  return azure.model.requests.length;
}

describe('a folder of many images', () => {
  test('if interrupted and run again, it writes one line per image and asks about none twice', async () => {
    const names = await writeImages(MANY);
    for (const count of INTERRUPTED_AFTER) {
      const command = askAboutAll();
      await expect
        .poll(async () => (await linesOf('answers.ndjson')).length, { timeout: 20_000 })
        .toBeGreaterThan(count);
      // After Ctrl-C, both the terminal and npm send SIGINT.
      command.child.kill('SIGINT');
      command.child.kill('SIGINT');
      expect(await command.ended, command.output()).toBe(130);
      expect(command.output()).toContain('Run it again to continue');
      expect((await linesOf('answers.ndjson')).length).toBe(modelCalls());
    }
    const last = askAboutAll();
    expect(await last.ended, last.output()).toBe(0);
    expect((await filesIn('answers.ndjson')).toSorted()).toEqual(names);
    expect(modelCalls()).toBe(MANY);
  });

  test('if killed and run again, it writes one line per image and repeats at most the questions in progress', async () => {
    const names = await writeImages(MANY);
    for (const count of INTERRUPTED_AFTER) {
      const command = askAboutAll('--out', 'answers.csv');
      await expect.poll(async () => (await linesOf('answers.csv')).length, { timeout: 20_000 }).toBeGreaterThan(count);
      command.child.kill('SIGKILL');
      await command.ended;
    }
    const last = askAboutAll('--out', 'answers.csv');
    expect(await last.ended, last.output()).toBe(0);
    const rows: string[][] = parse(await readFile(join(folder, 'answers.csv')), { bom: true, from_line: 2 });
    expect(rows.map(([file = '']) => file).toSorted()).toEqual(names);
    expect(rows[0]?.[1]).toContain('emulated');
    expect(modelCalls()).toBeLessThanOrEqual(MANY + INTERRUPTED_AFTER.length * CONCURRENCY);
  });
});

test('sends each image chunked, with the question, the schema and the key, and writes the data as CSV', async () => {
  await writeImages(2);
  const schema = { type: 'object', properties: { colour: { type: 'string' } } };
  await writeFile(join(folder, 'schema.json'), JSON.stringify(schema));
  const seen: { path: string | undefined; headers: IncomingHttpHeaders; body: FormData }[] = [];
  const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
  const answer = { answer: '{}', data: { colour: 'red' }, refusal: null, finishReason: 'stop', model: 'm', usage };
  const server = createServer((req, res) => {
    void (async () => {
      const type = { 'content-type': req.headers['content-type'] ?? '' };
      seen.push({
        path: req.url,
        headers: req.headers,
        body: await new Response(Readable.toWeb(req), { headers: type }).formData(),
      });
      res.end(JSON.stringify(answer));
    })();
  });
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${await listen(server, 0)}`;
  const options = ['--schema', 'schema.json', '--out', 'colours.csv', '--key', 'a-key'];
  const command = ask('images', 'What is this?', '--url', `${url}/`, ...options);
  expect(await command.ended, command.output()).toBe(0);

  expect(seen).toHaveLength(2);
  for (const { path, headers, body } of seen) {
    expect(path).toBe('/api/processImage');
    expect(headers).toMatchObject({ 'transfer-encoding': 'chunked', 'x-functions-key': 'a-key' });
    expect(headers).not.toHaveProperty('content-length');
    expect(body.get('instructions')).toBe('What is this?');
    expect(body.get('schema')).toBe(JSON.stringify(schema));
    expect(body.get('image')).toMatchObject({ size: 556 });
  }
  const rows: string[][] = parse(await readFile(join(folder, 'colours.csv')), { bom: true });
  expect(rows.map((row) => row[1])).toEqual(['colour', 'red', 'red']);
});

test('waits after a 429, and then gets an answer about every image', async () => {
  await writeImages(20);
  azure.model.fail({ status: 429, headers: { 'retry-after': '1' } }, 5);
  const command = askAboutAll();
  expect(await command.ended, command.output()).toBe(0);
  expect(await linesOf('answers.ndjson')).toHaveLength(20);
});

test('Ctrl-C ends the wait after a 429', async () => {
  await writeImages(3);
  azure.model.fail({ status: 429, headers: { 'retry-after': '60' } }, 100);
  const command = askAboutAll();
  await expect.poll(modelCalls, { timeout: 20_000 }).toBe(3);
  command.child.kill('SIGINT');
  expect(await command.ended, command.output()).toBe(130);
});

test('lists an image that fails, writes no line for it, and asks about it again in the next run', async () => {
  await writeImages(5);
  await writeFile(join(folder, 'images/broken.jpg'), 'no image at all');
  const command = askAboutAll();
  expect(await command.ended).toBe(1);
  expect(command.output()).toMatch(/^broken\.jpg: .*\(unsupported_image_type\)$/m);
  expect(await linesOf('answers.ndjson')).toHaveLength(5);

  await copyFile(IMAGE, join(folder, 'images/broken.jpg'));
  expect(await askAboutAll().ended).toBe(0);
  expect(modelCalls()).toBe(6);
});

const MISTAKES: readonly (readonly [args: string[], message: string])[] = [
  [[], 'Give a folder and a question'],
  [['images'], 'Give a folder and a question'],
  [['images', 'What', 'is', 'this?'], 'in quotes'],
  [['images', 'What?', '--concurrency', '0'], '--concurrency must be'],
  [['images', 'What?', '--url', 'localhost:7071'], '--url must begin with'],
  [['images', 'What?', '--schema', 'nowhere.json'], '--schema: nowhere.json'],
  [['images', 'What?', '--unknown'], '--unknown'],
];
test.each(some(MISTAKES, 3))('with %j, prints the mistake and the usage, and exits with 2', async (args, message) => {
  const command = ask(...args);
  expect(await command.ended).toBe(2);
  expect(command.output()).toContain(message);
  expect(command.output()).toContain('Usage: npm run ask');
});

test('--help prints the usage', async () => {
  const command = ask('--help');
  expect(await command.ended).toBe(0);
  expect(command.output()).toMatch(/^Usage: npm run ask/);
});

test('prints an error if the folder does not exist or the app cannot be reached', async () => {
  const missingFolder = ask('nowhere', 'What?', '--url', app.url);
  expect([await missingFolder.ended, missingFolder.output()]).toEqual([
    2,
    expect.stringContaining('There is no folder nowhere.'),
  ]);
  await writeImages(1);
  const noApp = ask('images', 'What?', '--url', 'http://127.0.0.1:9');
  expect([await noApp.ended, noApp.output()]).toEqual([1, expect.stringMatching(/^more\/0\.WEBP: fetch failed: /m)]);
});
