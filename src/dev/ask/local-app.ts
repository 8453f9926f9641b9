import { spawn } from 'node:child_process';
import { build } from '../build/build.ts';

const SERVE = new URL('../start/serve.ts', import.meta.url).pathname;
const END_WITH_PARENT = new URL('../emulator/end-with-parent.ts', import.meta.url).href;

/**
 * Builds and serves the app on this machine, with its settings. If they name no model, the app uses an emulated Azure.
 * @throws {Error} with the app's output, if the app does not start
 */
export async function startLocalApp(): Promise<{ url: string; close(): void }> {
  console.log('Building and starting the app …');
  const { dir } = await build();
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, SERVE, dir], {
    env: { ...process.env, PORT: '0' },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Give it its own process group, so that Ctrl-C does not end it before the questions in progress are answered.
    detached: true,
  });
  const listening = Promise.withResolvers<string>();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      // Ignore later output, which is one line for each request.
      if (output.includes('listening on')) return;
      output += text;
      const [, url] = /listening on (http:\S+)/.exec(output) ?? [];
      if (url) listening.resolve(url);
    });
  }
  child.once('exit', () => listening.reject(new Error(`The app did not start:\n${output}`)));
  const url = await listening.promise;
  const [model] = /^(?:No AZURE_OPENAI_ENDPOINT.*|Model: .*)$/m.exec(output) ?? [];
  if (model) console.log(model);
  return { url, close: () => void child.kill() };
}
