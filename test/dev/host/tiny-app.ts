import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A function app of a few lines, which the local host serves in its own process. */
export interface TinyApp {
  url: string;
  output(): string;
  /** Sends a signal and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Bundles a source, as the build does with the app, into a new directory, and returns its path. */
export async function writeTinyApp(source: string, extensions: object = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tiny-app-'));
  await build({
    stdin: { contents: source, resolveDir: root, loader: 'ts' },
    outfile: join(dir, 'index.js'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['@azure/functions-core'],
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  });
  await writeFile(join(dir, 'package.json'), JSON.stringify({ type: 'module', main: 'index.js' }));
  await writeFile(
    join(dir, 'host.json'),
    JSON.stringify({ extensions: { http: { routePrefix: 'v1' }, ...extensions } }),
  );
  return dir;
}

/** Bundles a source and serves it, with settings for the local host and with `extensions` for host.json. */
export async function startTinyApp(
  source: string,
  settings: Record<string, string> = {},
  extensions: object = {},
): Promise<TinyApp> {
  const dir = await writeTinyApp(source, extensions);
  // With an endpoint, the local host does not start an emulated Azure.
  const endpoint = { AZURE_OPENAI_ENDPOINT: 'https://example.openai.azure.com/' };
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, PORT: '0', ...endpoint, ...settings };
  const child = spawn(process.execPath, [join(root, 'src/dev/start/serve.ts'), dir], { cwd: dir, env });
  let output = '';
  const listening = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const [, url] = /listening on (http:\S+)/.exec(output) ?? [];
      if (url) listening.resolve(url);
    });
  }
  const exited = once(child, 'exit').finally(() => rm(dir, { recursive: true }));
  void exited.then(() => listening.reject(new Error(`The app ended instead of listening. Its output:\n${output}`)));

  return {
    url: await listening.promise,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}
