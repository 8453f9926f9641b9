import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import * as v from 'valibot';

/** A package that has code in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** The SPDX expression from its package.json. */
  readonly license: string;
  /** The directory in which it is installed, relative to the project. */
  readonly directory: string;
  /** The directories of the packages that its code imports. */
  readonly uses: readonly string[];
}

/** The packages in a bundle. */
export interface Bundled {
  /** Sorted by directory. */
  readonly packages: readonly BundledPackage[];
  /** The directories of the packages that the app's own code imports. */
  readonly used: readonly string[];
}

const Manifest = v.object({ name: v.string(), version: v.string(), license: v.string() });

/** The directory of a file's package. It is the innermost one, because packages may be installed inside another. */
const PACKAGE = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
const THE_APP = '';

/** Returns the packages with code in the bundle. Packages that tree shaking removed completely are left out. */
export async function bundledPackages(root: string, metafile: Metafile): Promise<Bundled> {
  const uses = usesOf(metafile);
  const directories = [...uses.keys()].filter((directory) => directory !== THE_APP).toSorted();
  const packages = directories.map(async (directory) => {
    const { name, version, license } = await readManifest(root, directory);
    return { name, version, license, directory, uses: list(uses.get(directory)) };
  });
  return { packages: await Promise.all(packages), used: list(uses.get(THE_APP)) };
}

/**
 * Returns which package uses which, by directory. It follows the imports of all sources, because a file that only
 * re-exports has no code in the bundle.
 */
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
    throw new Error(`${directory}/package.json has no name, version or license, so the package cannot be shipped.`);
  return manifest.output;
}
