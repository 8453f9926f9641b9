import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build as bundle, type Metafile, type Plugin } from 'esbuild';

const STYLE_TAG = '<link rel="stylesheet" href="page.css" />';
const SCRIPT_TAG = '<script type="module" src="page.ts"></script>';

/**
 * Creates an esbuild plugin for imports of the playground's page.html. It inlines the style and the script, and adds
 * their hashes, with which a Content-Security-Policy allows only these two.
 * @param onBundled - called with the metafiles of the style and of the script, which the app's own metafile does not
 * have
 */
export function playground(root: string, onBundled: (metafile: Metafile) => void): Plugin {
  return {
    name: 'playground',
    setup(build) {
      build.onLoad({ filter: /[\\/]playground[\\/]page\.html$/ }, async ({ path }) => {
        const pack = async (file: string): Promise<string> => minify(root, join(dirname(path), file), onBundled);
        const [markup, style, script] = await Promise.all([readFile(path, 'utf8'), pack('page.css'), pack('page.ts')]);
        return { loader: 'json', contents: JSON.stringify(assemble(markup, style, script)) };
      });
    },
  };
}

function assemble(
  markup: string,
  style: string,
  script: string,
): { html: string; styleHash: string; scriptHash: string } {
  const withStyle = replace(markup, STYLE_TAG, `<style>${style}</style>`);
  const html = replace(withStyle, SCRIPT_TAG, `<script type="module">${script}</script>`);
  return { html, styleHash: sha256(style), scriptHash: sha256(script) };
}

async function minify(root: string, entryPoint: string, onBundled: (metafile: Metafile) => void): Promise<string> {
  const { outputFiles, metafile } = await bundle({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    outdir: dirname(entryPoint),
    write: false,
    metafile: true,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'error',
  });
  onBundled(metafile);
  return outputFiles[0]?.text.trim() ?? '';
}

function replace(markup: string, tag: string, by: string): string {
  const parts = markup.split(tag);
  if (parts.length !== 2) throw new Error(`page.html must have this once: ${tag}`);
  return parts.join(by);
}

function sha256(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
