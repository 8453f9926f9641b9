import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import * as v from 'valibot';

/** A package that has code in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, as its package.json has it. */
  readonly license: string;
  /** Where it is installed, relative to the project. */
  readonly directory: string;
  /** The directories of the packages that its code imports. */
  readonly uses: readonly string[];
}

/** What a bundle is made of, beside the app's own code. */
export interface Bundled {
  /** In the order of their directories. */
  readonly packages: readonly BundledPackage[];
  /** The directories of the packages that the app's own code imports. */
  readonly used: readonly string[];
}

const Manifest = v.object({ name: v.string(), version: v.string(), license: v.string() });

/** The innermost package that a file belongs to, for a version of its own may be installed inside another. */
const PACKAGE = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
const THE_APP = '';

/** The packages that left code in the bundle; one that was shaken out whole is none. */
export async function bundledPackages(root: string, metafile: Metafile): Promise<Bundled> {
  const uses = usesOf(metafile);
  const directories = [...uses.keys()].filter((directory) => directory !== THE_APP).toSorted();
  const packages = directories.map(async (directory) => {
    const { name, version, license } = await readManifest(root, directory);
    return { name, version, license, directory, uses: list(uses.get(directory)) };
  });
  return { packages: await Promise.all(packages), used: list(uses.get(THE_APP)) };
}

/** Which package uses which, by directory. A file that only passes on what others export leaves no code, but does lead there. */
function usesOf({ inputs, outputs }: Metafile): Map<string, Set<string>> {
  const left = Object.values(outputs).flatMap((output) =>
    Object.keys(output.inputs).filter((file) => output.inputs[file]?.bytesInOutput),
  );
  const uses = new Map(left.map((file) => [packageOf(file), new Set<string>()]));
  for (const [file, { imports }] of Object.entries(inputs)) {
    for (const { path } of imports) {
      const [user, used] = [packageOf(file), packageOf(path)];
      if (used !== THE_APP && used !== user && uses.has(used)) uses.get(user)?.add(used);
    }
  }
  return uses;
}

function packageOf(file: string): string {
  return PACKAGE.exec(file)?.[0] ?? THE_APP;
}

function list(directories: Set<string> = new Set()): string[] {
  return [...directories].toSorted();
}

async function readManifest(root: string, directory: string): Promise<v.InferOutput<typeof Manifest>> {
  const manifest = v.safeParse(Manifest, JSON.parse(await readFile(join(root, directory, 'package.json'), 'utf8')));
  if (!manifest.success)
    throw new Error(`${directory}/package.json names no license, or not even itself, so it cannot be shipped.`);
  return manifest.output;
}
