import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { codeBlocks, DOCUMENTS, readDocument, ROOT } from '../documents.ts';
import { expectNoneIn, keepSecret } from './secrets.ts';

const README = readDocument('README.md');
const run = promisify(execFile);

test('the commands of the README give the answer that it shows, and those of other documents work', async () => {
  const [install, curl] = codeBlocks(README, 'sh');
  const [answer] = codeBlocks(README, 'text');
  expect(install).toMatch(/^npm install && /);
  const output = await start(install?.replace('npm install && ', '') ?? '');
  const { stdout } = await run('sh', ['-c', curl ?? ''], { cwd: ROOT });
  expect(stdout).toBe(answer);

  const others = DOCUMENTS.flatMap((name) => commandsIn(readDocument(name))).filter(
    (line) => /^curl .*127\.0\.0\.1/.test(line) && line !== curl && !isJob(line),
  );
  expect(others.length).toBeGreaterThan(2);
  for (const command of others)
    expect((await run('sh', ['-c', `${command} --fail`], { cwd: ROOT })).stdout, command).toContain('emulated');

  await expectJobDone(commandsIn(README), output);

  keepSecret('image', readFileSync(`${ROOT}test/images/sailboat.jpg`));
  keepSecret('words', stdout);
  expectNoneIn(output());
});

/** The README needs three commands for a job. This test has already run the first two: npm install and npm start. */
async function expectJobDone(commands: readonly string[], output: () => string): Promise<void> {
  const at = commands.findIndex(isJob);
  expect(commands.slice(at - 2, at)).toEqual(['npm install', 'npm start']);
  await expect.poll(output, { timeout: 60_000 }).toMatch(/ has the \d+ images of test\/images/);
  // Another Azurite on this machine may use the port that is in the README.
  const [, container = ''] = /(https:\S+) has the \d+ images/.exec(output()) ?? [];
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

/**
 * Runs a start command in a process group of its own, so that everything that npm starts ends with the test.
 * @returns a function that returns the output so far
 */
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
    child.once('exit', () => reject(new Error(`the process ended before it listened:\n${output}`)));
  });
  return () => output;
}
