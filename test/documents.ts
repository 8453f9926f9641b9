import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path of the repository, with a slash at the end. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The paths of all documents in this repository, relative to {@link ROOT}. */
export const DOCUMENTS: readonly string[] = globSync(['**/*.md', '.github/**/*.md'], {
  cwd: ROOT,
  exclude: ['**/node_modules', 'dist', '.azurite'],
}).toSorted();

/** Returns the text of a document. */
export function readDocument(path: string): string {
  return readFileSync(ROOT + path, 'utf8');
}

/** Returns the contents of the code blocks in a language, in order. */
export function codeBlocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)\\n\`\`\``, 'gm'))].map(
    ([, text]) => text ?? '',
  );
}
