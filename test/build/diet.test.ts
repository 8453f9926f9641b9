import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bundle } from '../../src/build/bundle.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { files, metafile } = await bundle(ROOT, `${ROOT}dist`);
const outputs = Object.entries(metafile.outputs);
const code = files.filter(({ path }) => path.endsWith('.js')).map(({ text }) => text);

/** Bytes that these sources have in the bundle. */
function bytesOf(source: RegExp): number {
  const inputs = outputs.flatMap(([, output]) => Object.entries(output.inputs));
  return inputs.filter(([path]) => source.test(path)).reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
}

test("the OpenAI client is there, and its resources' code is not", () => {
  expect(bytesOf(/openai\/client\.mjs$/)).toBeGreaterThan(10_000);
  expect(bytesOf(/openai\/resources\//)).toBeLessThan(10_000);
});

test.each(['jsonwebtoken/', 'https-proxy-agent/dist/', 'http-proxy-agent/dist/'])('%s is there, and set up by nothing but its first use', (directory) => {
  const main = `node_modules/${directory}index.js`;
  expect(bytesOf(new RegExp(main))).toBeGreaterThan(100);
  const imports = outputs.flatMap(([, { inputs }]) => Object.keys(inputs)).flatMap((file) => metafile.inputs[file]?.imports ?? []);
  expect(imports.filter(({ path }) => path === main).map(({ kind }) => kind)).toEqual(['require-call']);
});

const TOLD = [
  'OpenAI AzureOpenAI EnvironmentCredential WorkloadIdentityCredential ManagedIdentityCredential',
  'VisualStudioCodeCredential AzureCliCredential AzurePowerShellCredential AzureDeveloperCliCredential',
];

test.each(TOLD.flatMap((names) => names.split(' ')))('%s keeps its name, which is told', (name) => {
  expect(code.some((text) => text.includes(`"name",{value:"${name}"}`))).toBe(true);
});

test('node:process, which opens the standard streams, is imported nowhere', () => {
  expect(code.filter((text) => /from ?"(?:node:)?process"|import\("(?:node:)?process"\)/.test(text))).toEqual([]);
});

test('what a form, a schema, the page and telemetry need is loaded when they are asked for', () => {
  const atOnce = new Set<string>();
  const follow = (output: string): void => {
    if (atOnce.has(output)) return;
    atOnce.add(output);
    for (const { path, kind, external } of metafile.outputs[output]?.imports ?? []) if (kind === 'import-statement' && !external) follow(path);
  };
  const first = outputs.find(([, { entryPoint }]) => entryPoint === 'src/handlers.ts')?.[0] ?? '';
  for (const output of ['dist/index.js', first]) follow(output);
  const inputs = [...atOnce].flatMap((output) => Object.keys(metafile.outputs[output]?.inputs ?? {}));
  expect(inputs).toContain('src/functions/process-image.ts');
  expect(inputs.filter((input) => /busboy|\/ajv\/|opentelemetry|src\/playground|src\/openapi|msal/.test(input))).toEqual([]);
});
