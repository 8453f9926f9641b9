import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { stopOnSignals } from '../start/signals.ts';
import { openAnswers } from './answer-file.ts';
import { askFolder } from './ask-folder.ts';
import type { Question } from './ask-image.ts';
import { startLocalApp } from './local-app.ts';

const USAGE = `Usage: npm run ask -- FOLDER 'What is this?' [options]

Asks the question about every image of a folder and its subfolders. After Ctrl-C, run it again to continue.

  --out FILE         the file for the answers, .ndjson or .csv; default: answers.ndjson
  --schema FILE      a JSON Schema of an object that each answer must satisfy
  --concurrency N    how many questions to ask at once; default: 8
  --url URL          the app, such as https://NAME.azurewebsites.net; by default, the app is built and started here
  --key KEY          the app's function key`;

const JsonObject = v.record(v.string(), v.unknown());

interface Arguments {
  folder: string;
  question: Question;
  out: string;
  concurrency: number;
  url: string | undefined;
}

/**
 * `npm run ask`: exits with 0 if every image is answered, 1 if some failed, 2 for wrong arguments, 130 after Ctrl-C.
 */
process.exitCode = await main();

async function main(): Promise<number> {
  let args: Arguments;
  try {
    args = await readArguments();
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${USAGE}`);
    return 2;
  }
  try {
    const { folder, question, out, concurrency, url } = args;
    const answers = await openAnswers(out, question.schema);
    const stop = stopOnSignals();
    const app = url ? { url, close() {} } : await startLocalApp();
    try {
      const { failures } = await askFolder({ folder, question, answers, concurrency, url: app.url, stop });
      for (const { file, reason } of failures) console.error(`${file}: ${reason}`);
      if (stop.aborted) return 130;
      return failures.length > 0 ? 1 : 0;
    } finally {
      app.close();
      await answers.close();
    }
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

async function readArguments(): Promise<Arguments> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: 'string', default: 'answers.ndjson' },
      schema: { type: 'string' },
      concurrency: { type: 'string', default: '8' },
      url: { type: 'string' },
      key: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const [folder, instructions, ...more] = positionals;
  if (!folder || !instructions?.trim()) throw new Error('Give a folder and a question.');
  if (more.length > 0) throw new Error(`Unexpected argument: ${more.join(' ')}. Put the question in quotes.`);
  const concurrency = Number(values.concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new Error('--concurrency must be a whole number, 1 or more.');
  if (values.url !== undefined && !/^https?:$/.test(URL.parse(values.url)?.protocol ?? '')) {
    throw new Error('--url must begin with http:// or https://.');
  }
  const schema = values.schema ? await readSchema(values.schema) : undefined;
  if (!(await isFolder(folder))) throw new Error(`There is no folder ${folder}.`);
  return {
    folder,
    question: { instructions, schema, key: values.key },
    out: resolve(values.out),
    concurrency,
    url: values.url?.replace(/\/+$/, ''),
  };
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

async function readSchema(file: string): Promise<Record<string, unknown>> {
  try {
    return v.parse(JsonObject, JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw new Error(`--schema: ${file} is not a JSON Schema.`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
