import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bicep } from 'bicep-node';
import { type Case, CASES } from './cases.ts';
import { findBicep, printedAbout, startCompiler } from './compiler.ts';
import { predict } from './deployment.ts';
import { alerts } from './policy/alerts.ts';
import { app } from './policy/app.ts';
import { appSettings } from './policy/app-settings.ts';
import { containerApp } from './policy/container-app.ts';
import { network } from './policy/network.ts';
import { order } from './policy/order.ts';
import { outputs } from './policy/outputs.ts';
import { parameters } from './policy/parameters.ts';
import { properties } from './policy/properties.ts';
import { resources } from './policy/resources.ts';
import { roles } from './policy/roles.ts';
import { secrets } from './policy/secrets.ts';
import { serviceTag } from './policy/service-tag.ts';
import { signIn } from './policy/sign-in.ts';
import { readTemplate, type Template } from './template.ts';

const ON_TEMPLATE = { parameters, secrets };
const ON_DEPLOYMENT = { resources, properties, roles, app, appSettings, network, signIn, alerts, outputs, serviceTag };
/** A separate deployment, which main.bicep does not use. */
const CONTAINER_APP = 'infra/container/container-app.bicep';
/** The folder of the parameter files, relative to the folder that has infra/. */
export const CASE_FOLDER = 'test/infra/bicep/cases';

/**
 * Compiles `infra/` in a folder, and checks what it would deploy with each set of parameters. Stops after the first
 * step with findings, because the next ones would repeat them.
 * @returns the findings, one line each
 */
export async function check(bicep: Bicep, root: string): Promise<string[]> {
  for await (const findings of steps(bicep, root)) if (findings.length > 0) return findings;
  return [];
}

async function* steps(bicep: Bicep, root: string): AsyncGenerator<string[]> {
  const main = join(root, 'infra/main.bicep');
  const { contents, diagnostics } = await bicep.compile({ path: main });
  yield diagnostics.map(
    ({ source, range, level, code, message }) =>
      `${basename(source)}(${range.start.line + 1},${range.start.char + 1}) : ${level} ${code}: ${message}`,
  );
  const container = await bicep.compile({ path: join(root, CONTAINER_APP) });
  yield container.diagnostics.map(
    ({ range, level, code, message }) =>
      `${CONTAINER_APP}(${range.start.line + 1},${range.start.char + 1}) : ${level} ${code}: ${message}`,
  );
  yield await unformatted(bicep, root);
  yield await unused(bicep, main, root);
  for (const file of ['main.bicep', 'second-region.bicep']) {
    yield order(await bicep.getDeploymentGraph({ path: join(root, 'infra', file) }));
  }
  const template = readTemplate(root, JSON.parse(contents ?? '{}'));
  yield Object.values(ON_TEMPLATE).flatMap((policy) => policy(template));
  yield secrets({ compiled: JSON.parse(container.contents ?? '{}') });
  const ofContainer = join(root, CASE_FOLDER, 'container-app.bicepparam');
  yield containerApp(await predict(bicep, { name: 'container-app' }, ofContainer, 'rg-apps'));
  for (const each of CASES) yield await judge(bicep, root, each, template);
}

async function unformatted(bicep: Bicep, root: string): Promise<string[]> {
  const findings: string[] = [];
  for (const name of globSync(['infra/**/*.bicep', `${CASE_FOLDER}/*.bicepparam`], { cwd: root })) {
    const path = join(root, name);
    const { contents } = await bicep.format({ path });
    // On Windows, Git may have checked it out with CRLF.
    const written = readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
    if (contents.replaceAll('\r\n', '\n') !== written) findings.push(`${name} is not formatted: bicep format ${name}`);
  }
  return findings;
}

async function unused(bicep: Bicep, main: string, root: string): Promise<string[]> {
  const { filePaths } = await bicep.getFileReferences({ path: main });
  const used = new Set([...filePaths, CONTAINER_APP].map((path) => basename(path)));
  return globSync('infra/**/*.bicep', { cwd: root })
    .filter((name) => !used.has(basename(name)))
    .map((name) => `nothing uses ${name}`);
}

async function judge(bicep: Bicep, root: string, of: Case, template: Template): Promise<string[]> {
  try {
    const deployment = await predict(bicep, of, join(root, CASE_FOLDER, `${of.name}.bicepparam`));
    return Object.values(ON_DEPLOYMENT)
      .flatMap((policy) => policy(deployment, template))
      .map((finding) => `${of.name}: ${finding}`);
  } catch (error) {
    return [`${of.name}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

if (import.meta.main) {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  try {
    const path = findBicep();
    const printed = printedAbout(join(root, 'infra/main.bicep'));
    const bicep = await startCompiler();
    const findings = printed.length > 0 ? printed : await check(bicep, root);
    const version = await bicep.version();
    bicep.dispose();
    for (const finding of findings) console.error(finding);
    if (findings.length > 0) process.exitCode = 1;
    else console.log(`infra/ passes the check in ${CASES.length} cases, with Bicep ${version} (${path}).`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
