import { spawn } from 'node:child_process';
import { build } from '../build/build.ts';

const SERVE = new URL('../start/serve.ts', import.meta.url).pathname;
const END_WITH_PARENT = new URL('../emulator/end-with-parent.ts', import.meta.url).href;

/** The app, built and served here, with the settings of this machine; on an emulated Azure if they name no model. */
export async function startLocalApp(): Promise<{ url: string; close(): void }> {
  console.log('Building and starting the app …');
  const { dir } = await build();
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, SERVE, dir], {
    env: { ...process.env, PORT: '0' },
    stdio: ['pipe', 'pipe', 'pipe'],
    // In a process group of its own: Ctrl-C must not end it before the images in hand are answered.
    detached: true,
  });
  const listening = Promise.withResolvers<string>();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      // What comes later is a line for each request.
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
