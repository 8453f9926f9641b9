import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Bundled, BundledPackage } from './bundled-package.ts';

const Lockfile = v.object({
  packages: v.record(v.string(), v.object({ version: v.optional(v.string()), integrity: v.optional(v.string()) })),
});
type Locked = v.InferOutput<typeof Lockfile>['packages'];

/** Name and version of the app, or of a package from NuGet. */
export interface Shipped {
  readonly name: string;
  readonly version: string;
}

/**
 * Creates a CycloneDX 1.6 bill of materials of the packages in the bundle: https://cyclonedx.org/docs/1.6/json/
 * It has no time and no serial number, so that the same sources make the same file.
 * @throws {Error} if a package is not the one that package-lock.json names
 */
export async function billOfMaterials(
  root: string,
  app: Shipped,
  { packages, used }: Bundled,
  fromNuGet: readonly Shipped[] = [],
): Promise<string> {
  const { packages: locked } = v.parse(Lockfile, JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')));
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': app.name, ...app, purl: packageUrl(app) } },
    components: [...packages.map((each) => toComponent(each, locked)), ...fromNuGet.map(toNuGetComponent)],
    dependencies: [
      { ref: app.name, dependsOn: [...used, ...fromNuGet.map(nuGetUrl)] },
      ...packages.map(({ directory, uses }) => ({ ref: directory, dependsOn: uses })),
    ],
  };
  return `${JSON.stringify(bill, null, 1)}\n`;
}

function toComponent(bundled: BundledPackage, locked: Locked) {
  const { name, version, license, directory } = bundled;
  const slash = name.indexOf('/');
  return {
    type: 'library',
    'bom-ref': directory,
    ...(slash < 0 ? {} : { group: name.slice(0, slash) }),
    name: name.slice(slash + 1),
    version,
    hashes: [{ alg: 'SHA-512', content: sha512(bundled, locked) }],
    licenses: [/\s/.test(license) ? { expression: license } : { license: { id: license } }],
    purl: packageUrl(bundled),
  };
}

function toNuGetComponent({ name, version }: Shipped) {
  const purl = nuGetUrl({ name, version });
  return { type: 'library', 'bom-ref': purl, name, version, licenses: [{ license: { id: 'MIT' } }], purl };
}

function nuGetUrl({ name, version }: Shipped): string {
  return `pkg:nuget/${name}@${version}`;
}

/** Returns a package URL of type npm: https://github.com/package-url/purl-spec */
function packageUrl({ name, version }: Shipped): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** Returns the hash by which npm verifies the package, so that the bill identifies bytes and not only versions. */
function sha512({ directory, name, version }: BundledPackage, locked: Locked): string {
  const entry = locked[directory];
  const [, hash] = /^sha512-(\S+)$/.exec(entry?.integrity ?? '') ?? [];
  if (hash === undefined || entry?.version !== version) {
    throw new Error(`${name} ${version} is not what package-lock.json has at ${directory}. Run npm install.`);
  }
  return Buffer.from(hash, 'base64').toString('hex');
}
