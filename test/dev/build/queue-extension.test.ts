import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { billOfMaterials } from '../../../src/dev/build/bill-of-materials.ts';
import { PACKAGES, queueExtension } from '../../../src/dev/build/queue-extension.ts';

/** No .NET SDK runs here. test/infra/nuget/queue-extension.test.ts uses the real SDK and NuGet. */
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'no-dotnet-'));
  onTestFinished(async () => rm(folder, { recursive: true }));
});

test('without the .NET SDK, the build of the extension fails and says to install the SDK', async () => {
  vi.stubEnv('PATH', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(queueExtension(join(folder, 'bin'))).rejects.toThrow(
    /VISION_JOBS .* the SDK is not installed\. Install it/,
  );
  expect(await readdir(folder)).toEqual([]);
});

test.skipIf(process.platform === 'win32')('if NuGet fails, the error has its message', async () => {
  await writeFile(join(folder, 'dotnet'), '#!/bin/sh\necho error NU1301: the source cannot be reached\nexit 1\n', {
    mode: 0o755,
  });
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH']}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(queueExtension(join(folder, 'bin'))).rejects.toThrow('NU1301: the source cannot be reached');
});

test('the bill of materials lists the packages of the extension', async () => {
  const root = await mkdtemp(join(tmpdir(), 'bill-'));
  onTestFinished(async () => rm(root, { recursive: true }));
  await writeFile(join(root, 'package-lock.json'), '{"packages":{}}');
  const bill = await billOfMaterials(root, { name: 'app', version: '1.0.0' }, { packages: [], used: [] }, PACKAGES);
  for (const { name, version } of PACKAGES) expect(bill).toContain(`"purl": "pkg:nuget/${name}@${version}"`);
});

test("the licence file for the extension is Microsoft's MIT License", async () => {
  const text = await readFile(
    new URL('../../../src/dev/build/missing-licences/azure-sdk-for-net.txt', import.meta.url),
    'utf8',
  );
  expect(text).toMatch(/^The MIT License \(MIT\)\n\n© Microsoft Corporation\. All rights reserved\.\n/);
});
