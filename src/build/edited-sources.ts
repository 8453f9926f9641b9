import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Loader, Plugin, PluginBuild } from 'esbuild';

/** Something that is changed about sources on their way into the bundle; what is on the disk stays as it is. */
export interface Edit {
  /** The files it is about. */
  readonly file: RegExp;
  /**
   * @returns the new source; the same where there was nothing to change
   * @throws where the file is not what the edit was written for
   */
  readonly edit: (source: string, path: string, build: PluginBuild) => string | Promise<string>;
}

const LOADERS: Readonly<Record<string, Loader>> = { '.ts': 'ts', '.js': 'js', '.mjs': 'js' };

/** Makes all edits in one place: esbuild takes a file from the first plugin that has it, and from no other. */
export function editedSources(edits: readonly Edit[]): Plugin {
  const edited = new RegExp(edits.map(({ file }) => file.source).join('|'));
  return {
    name: 'edited-sources',
    setup(build) {
      build.onLoad({ filter: edited }, async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        for (const { file, edit } of edits) if (file.test(path)) contents = await edit(contents, path, build);
        return { contents, loader: LOADERS[extname(path)] ?? 'default' };
      });
    },
  };
}
