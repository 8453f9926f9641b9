import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const [buildStage = '', finalStage = ''] = readFileSync(`${ROOT}infra/Dockerfile`, 'utf8')
  .split(/^(?=FROM )/m)
  .slice(1);
const ignored = readFileSync(`${ROOT}infra/Dockerfile.dockerignore`, 'utf8').split('\n');

/** The files and folders of the repository that the build stage copies. */
const copied = [...buildStage.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '));

test('everything that the image copies exists, and .dockerignore lets in nothing else', () => {
  expect(copied).toEqual(expect.arrayContaining(['package.json', 'package-lock.json', 'host.json', 'src']));
  expect(copied.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  expect(
    ignored
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
      .toSorted(),
  ).toEqual(copied.toSorted());
});

test('the image runs the same build command as npm run build', () => {
  const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: { build: string } };
  expect(buildStage).toContain(`RUN ${scripts.build}\n`);
});

test('the image has the build where the host looks for it, and no secret settings', () => {
  const [, root] = /AzureWebJobsScriptRoot=(\S+)/.exec(finalStage) ?? [];
  expect(finalStage).toContain(`COPY --from=build /src/dist ${root}\n`);
  expect(finalStage).not.toMatch(/API_KEY|CLIENT_SECRET|PASSWORD|CONNECTION_STRING/);
});
