import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bundle } from '../../src/build/bundle.ts';
import { LATE } from '../../src/build/late-parts.ts';
import { SHARED } from '../../src/build/together.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { files, metafile } = await bundle(ROOT, `${ROOT}dist`, SHARED, LATE);
const outputs = Object.entries(metafile.outputs);
const code = files.filter(({ path }) => path.endsWith('.js')).map(({ text }) => text);

/** Bytes that these sources have in the bundle. */
function bytesOf(source: RegExp): number {
  const inputs = outputs.flatMap(([, output]) => Object.entries(output.inputs));
  return inputs.filter(([path]) => source.test(path)).reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
}

test('the OpenAI client is there, and the code of what it never makes is not', () => {
  expect(bytesOf(/openai\/client\.mjs$/)).toBeGreaterThan(10_000);
  expect(bytesOf(/openai\/resources\//)).toBeLessThan(10_000);
  expect(bytesOf(/openai\/(?:core\/pagination|.*\/(?:x509-)?workload-identity-auth)\.mjs$/)).toBeLessThan(4_000);
});

test('jsonwebtoken is there, and set up by nothing but its first use', () => {
  const main = 'node_modules/jsonwebtoken/index.js';
  expect(bytesOf(new RegExp(main))).toBeGreaterThan(100);
  const imports = outputs.flatMap(([, { inputs }]) => Object.keys(inputs)).flatMap((file) => metafile.inputs[file]?.imports ?? []);
  expect(imports.filter(({ path }) => path === main).map(({ kind }) => kind)).toEqual(['require-call']);
});

const TOLD = [
  'OpenAI AzureOpenAI EnvironmentCredential WorkloadIdentityCredential ManagedIdentityCredential',
  'VisualStudioCodeCredential AzureCliCredential AzurePowerShellCredential AzureDeveloperCliCredential',
];

test.each(TOLD.flatMap((names) => names.split(' ')))('%s keeps its name, which is told', (name) => {
  expect(code.some((text) => text.includes(`static name="${name}"`))).toBe(true);
});

test('node:process, which opens the standard streams, is imported nowhere', () => {
  expect(code.filter((text) => /from ?"(?:node:)?process"|import\("(?:node:)?process"\)/.test(text))).toEqual([]);
});

/** What is loaded with a part of the bundle, at once. */
function loadedWith(entryPoint: string): string[] {
  const loaded = new Set<string>();
  const follow = (output: string): void => {
    if (loaded.has(output)) return;
    loaded.add(output);
    for (const { path, kind, external } of metafile.outputs[output]?.imports ?? []) if (kind === 'import-statement' && !external) follow(path);
  };
  const [first] = outputs.find(([, output]) => output.entryPoint === entryPoint) ?? [];
  if (!first) throw new Error(`${entryPoint} is no part of the bundle`);
  follow(first);
  return [...loaded];
}

/** The sources of what is loaded at once with these parts. */
function sourcesOf(...parts: string[]): string[] {
  const together = new Set(parts.flatMap(loadedWith));
  return [...together].flatMap((output) => Object.keys(metafile.outputs[output]?.inputs ?? {}));
}

test('a managed identity comes without any other way of signing in, without proxies and what checks tokens', () => {
  const sources = sourcesOf('src/azure/identity.ts');
  expect(sources).toContain('node_modules/@azure/msal-node/dist/client/ManagedIdentityApplication.mjs');
  expect(sources.filter((source) => /(?:Cli|Code|PowerShell|Environment|Workload\w+|Browser)Credential|ConfidentialClient|PublicClient|jsonwebtoken|proxy-agent/.test(source))).toEqual([]);
});

test.each([
  ['late:credentials', ['Environment', 'WorkloadIdentity', 'AzureDeveloperCli', 'AzureCli', 'AzurePowerShell', 'VisualStudioCode', 'Broker'].map((name) => `${name}Credential`)],
  ['late:proxies', ['HttpsProxyAgent', 'HttpProxyAgent']],
])('%s has what is made of it', (part, names) => {
  const [, output] = outputs.find(([, { entryPoint }]) => entryPoint?.endsWith(part)) ?? [];
  expect(output?.exports.toSorted()).toEqual(names.toSorted());
});

test('what a form, a schema, the page and telemetry need is loaded when they are asked for', () => {
  const sources = sourcesOf('src/index.ts', 'src/handlers.ts');
  expect(sources).toContain('src/functions/process-image.ts');
  expect(sources.filter((source) => /busboy|\/ajv\/|opentelemetry|src\/playground|src\/openapi|msal/.test(source))).toEqual([]);
});

// Each is found and read by itself in a cold start: src/build/together.ts.
test.each([
  ['registration', ['src/index.ts'], 3],
  ['the first answer', ['src/index.ts', 'src/azure/identity.ts', 'src/handlers.ts'], 9],
])('%s is a matter of few files', (_, parts, most) => {
  expect(new Set(parts.flatMap(loadedWith)).size).toBeLessThanOrEqual(most);
});
