import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as v from 'valibot';

const FOLDER = new URL('../../.github/workflows/', import.meta.url);
const Workflow = v.object({
  permissions: v.record(v.string(), v.string()),
  jobs: v.record(
    v.string(),
    v.object({ steps: v.array(v.object({ uses: v.optional(v.string()), run: v.optional(v.string()) })) }),
  ),
});

describe.each(readdirSync(FOLDER))('%s', (name) => {
  const source = readFileSync(new URL(name, FOLDER), 'utf8');
  const { permissions, jobs } = v.parse(Workflow, parse(source));
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  test('has no secrets, and only the permissions that it needs', () => {
    expect(source).not.toMatch(/\bsecrets\.|client-secret|password/i);
    expect(permissions).toEqual(
      name === 'azure-dev.yml' ? { contents: 'read', 'id-token': 'write' } : { contents: 'read' },
    );
  });

  test('pins its actions by commit, with the version in a comment', () => {
    const used = source.split('\n').filter((line) => /\buses:/.test(line));
    expect(used.length).toBe(steps.flatMap(({ uses }) => uses ?? []).length);
    expect(used.filter((line) => !/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  test('has no ${{ }} expression in a shell command', () => {
    expect(steps.filter(({ run }) => run?.includes('${{')).map(({ run }) => run)).toEqual([]);
  });
});

test('CI runs on Node 22 and 24, on Linux, macOS and Windows, and tests infra/ with the pinned Bicep', () => {
  const ci = readFileSync(new URL('ci.yml', FOLDER), 'utf8');
  expect(ci).toContain('os: [ubuntu-latest, macos-latest, windows-latest]');
  expect(ci).toContain('node: [22, 24]');
  expect(ci).toMatch(/dotnet restore test\/infra\/bicep\/bicep\.csproj[^]+npm run test:infra\n/);
});

test('the deployment workflow signs in with a federated credential', () => {
  expect(readFileSync(new URL('azure-dev.yml', FOLDER), 'utf8')).toContain('--federated-credential-provider github');
});
