import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build as bundle, type Plugin } from 'esbuild';

const STYLE_TAG = '<link rel="stylesheet" href="page.css">';
const SCRIPT_TAG = '<script type="module" src="page.ts"></script>';

/**
 * Lets an import of the playground's page.html mean the whole page in one piece, its style and script inside, with the
 * hashes by which a Content-Security-Policy allows those two and nothing else.
 */
export const playground: Plugin = {
  name: 'playground',
  setup(build) {
    build.onLoad({ filter: /[\\/]playground[\\/]page\.html$/ }, async ({ path }) => ({ loader: 'json', contents: JSON.stringify(await assemble(path)) }));
  },
};

async function assemble(path: string): Promise<{ html: string; styleHash: string; scriptHash: string }> {
  const [markup, style, script] = await Promise.all([readFile(path, 'utf8'), minify(join(dirname(path), 'page.css')), minify(join(dirname(path), 'page.ts'))]);
  const withStyle = replace(markup, STYLE_TAG, `<style>${style}</style>`);
  const html = replace(withStyle, SCRIPT_TAG, `<script type="module">${script}</script>`);
  return { html, styleHash: sha256(style), scriptHash: sha256(script) };
}

async function minify(entryPoint: string): Promise<string> {
  const { outputFiles } = await bundle({
    entryPoints: [entryPoint],
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'error',
  });
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
