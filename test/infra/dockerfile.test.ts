import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const [buildStage = '', finalStage = ''] = readFileSync(`${ROOT}infra/Dockerfile`, 'utf8')
  .split(/^(?=FROM )/m)
  .slice(1);
const ignored = readFileSync(`${ROOT}infra/Dockerfile.dockerignore`, 'utf8').split('\n');

/** What a stage copies out of this folder. */
const copied = [...buildStage.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '));

test('what the image copies is there, and let in', () => {
  expect(copied).toEqual(expect.arrayContaining(['package.json', 'package-lock.json', 'host.json', 'src']));
  expect(copied.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  expect(
    ignored
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
      .toSorted(),
  ).toEqual(copied.toSorted());
});

test('the build is made as npm makes it', () => {
  const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: { build: string } };
  expect(buildStage).toContain(`RUN ${scripts.build}\n`);
});

test('the image holds the build, where the host looks for it, and no secret', () => {
  const [, root] = /AzureWebJobsScriptRoot=(\S+)/.exec(finalStage) ?? [];
  expect(finalStage).toContain(`COPY --from=build /src/dist ${root}\n`);
  expect(finalStage).not.toMatch(/API_KEY|CLIENT_SECRET|PASSWORD|CONNECTION_STRING/);
});
