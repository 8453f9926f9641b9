import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { codeBlocks, DOCUMENTS, readDocument, ROOT } from '../documents.ts';
import { expectNoneIn, keepSecret } from './secrets.ts';

const README = readDocument('README.md');
const run = promisify(execFile);

test('the README runs as it is printed: start, curl, and the answer it shows; so does what other documents send there', async () => {
  const [install, curl] = codeBlocks(README, 'sh');
  const [answer] = codeBlocks(README, 'text');
  expect(install).toMatch(/^npm install && /);
  const printed = await start(install?.replace('npm install && ', '') ?? '');
  const { stdout } = await run('sh', ['-c', curl ?? ''], { cwd: ROOT });
  expect(stdout).toBe(answer);

  const others = DOCUMENTS.flatMap((name) => commandsIn(readDocument(name))).filter(
    (line) => /^curl .*127\.0\.0\.1/.test(line) && line !== curl && !isJob(line),
  );
  expect(others.length).toBeGreaterThan(2);
  for (const command of others)
    expect((await run('sh', ['-c', `${command} --fail`], { cwd: ROOT })).stdout, command).toContain('emulated');

  await asksAboutAContainer(commandsIn(README), printed);

  keepSecret('image', readFileSync(`${ROOT}test/images/sailboat.jpg`));
  keepSecret('words', stdout);
  expectNoneIn(printed());
});

/** Three commands: those before the one that starts a job are what this test has started with. */
async function asksAboutAContainer(commands: readonly string[], printed: () => string): Promise<void> {
  const at = commands.findIndex(isJob);
  expect(commands.slice(at - 2, at)).toEqual(['npm install', 'npm start']);
  await expect.poll(printed, { timeout: 60_000 }).toMatch(/ has the \d+ images of test\/images/);
  // Another Azurite on this machine may have the port that the README names.
  const [, container = ''] = /(https:\S+) has the \d+ images/.exec(printed()) ?? [];
  expect(commands[at]).toContain('https://127.0.0.1:10000/');
  const command = commands[at]?.replace(/https:\S+(?=")/, container) ?? '';
  const { id } = JSON.parse((await run('sh', ['-c', command], { cwd: ROOT })).stdout) as { id: string };
  const get = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:7071/api/jobs/${id}${path}`)).text();
  await expect.poll(async () => get(''), { timeout: 60_000 }).toContain('"status":"done"');
  const lines = (await get('/results')).trimEnd().split('\n');
  expect(lines.filter((line) => line.includes('Write alt text for this picture.'))).toHaveLength(3);
  expect(lines.filter((line) => line.includes('animated_image'))).toHaveLength(1);
  expect(lines).toHaveLength(4);
}

function isJob(command: string): boolean {
  return command.endsWith('/api/jobs');
}

function commandsIn(markdown: string): string[] {
  return codeBlocks(markdown, 'sh').flatMap((block) => block.split('\n'));
}

/** Runs a start command in a process group of its own, so that what npm started ends with the test. Returns what it prints. */
async function start(command: string): Promise<() => string> {
  const { AZURE_OPENAI_ENDPOINT: _endpoint, GPT4V_ENDPOINT: _alias, ...env } = process.env;
  const child = spawn('sh', ['-c', command], { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void process.kill(-(child.pid ?? 0), 'SIGTERM'));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('listening on http://127.0.0.1:7071')) resolve();
    });
    child.once('exit', () => reject(new Error(`it ended before it listened:\n${output}`)));
  });
  return () => output;
}
