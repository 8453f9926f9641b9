import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bicep } from 'bicep-node';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CASES } from './cases.ts';
import { CASE_FOLDER, check } from './check.ts';
import { printedAbout, startCompiler } from './compiler.ts';
import { predict } from './deployment.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let bicep: Bicep;
beforeAll(async () => void (bicep = await startCompiler()));
afterAll(() => bicep.dispose());

test('bicep lint and bicep build print nothing about infra/main.bicep', () => {
  expect(printedAbout(join(ROOT, 'infra/main.bicep'))).toEqual([]);
});

test('the check finds nothing in infra/', async () => {
  expect(await check(bicep, ROOT)).toEqual([]);
});

test('each case deploys as many resources as infra/README.md says', async () => {
  const readme = readFileSync(join(ROOT, 'infra/README.md'), 'utf8');
  const rows = readme.matchAll(/^\| `([a-z-]+)` \| (\d+) \|$/gm);
  const documented = [...rows].map(([, name, count]) => [name, Number(count)]);
  const found: [string, number][] = [];
  for (const each of CASES) {
    const { resources } = await predict(bicep, each, join(ROOT, CASE_FOLDER, `${each.name}.bicepparam`));
    found.push([each.name, resources.length]);
  }
  expect(documented).toEqual(found);
});

type Patch = readonly [what: string, file: string, from: string | RegExp, to: string];

describe('the check finds', () => {
  test.each<[...Patch, finding: string]>([
    // Found by the compiler.
    ['a syntax error', 'app.bicep', 'resource plan', 'resource plan =', 'Error BCP'],
    [
      'an expression of the wrong type',
      'sign-in.bicep',
      'var on = !empty(clientId)',
      'var on = trim(clientId)',
      'Expected a value of type "bool"',
    ],
    [
      'a parameter of the wrong type',
      'main.bicep',
      'nodeVersion: nodeVersion',
      'nodeVersion: instanceMemoryMB',
      'BCP036',
    ],
    [
      'a missing non-null assertion',
      'main.bicep',
      'network!.outputs.appSubnetId',
      'network.outputs.appSubnetId',
      'BCP318',
    ],
    ['a default that is not allowed', 'main.bicep', 'instanceMemoryMB int = 2048', 'instanceMemoryMB int = 512', 'BCP'],
    [
      'a scope of the wrong kind',
      'main.bicep',
      'scope: group\n  params: { suffix',
      'scope: subscription()\n  params: { suffix',
      'BCP',
    ],
    ['a misspelt property', 'model.bicep', 'customSubDomainName', 'customSubdomainName', 'BCP089'],
    [
      'an API version that does not exist',
      'network.bicep',
      'virtualNetworks@2024-07-01',
      'virtualNetworks@2024-07-02',
      'BCP081',
    ],
    ['a value instead of a list', 'private-endpoint.bicep', 'groupIds: [groupId]', 'groupIds: groupId', 'BCP036'],
    ['a required property left out', 'app.bicep', /^ {2}sku: \{ name: 'FC1'.*\n/m, '  skus: {}\n', 'BCP'],
    [
      'a parameter that nothing uses',
      'identity.bicep',
      'param tags object',
      'param tags object\nparam extra string',
      'no-unused-params',
    ],
    ['a module that does not exist', 'main.bicep', "'failures.bicep'", "'failure.bicep'", 'BCP'],
    [
      'a secret as an output',
      'model-access.bicep',
      /$/,
      'output key string = account.listKeys().key1\n',
      'outputs-should-not-contain-secrets',
    ],
    // Found by the format check, or by the files that belong to main.bicep.
    [
      'a wrong format',
      'identity.bicep',
      'output id string = identity.id',
      'output id  string = identity.id',
      'is not formatted',
    ],
    ['a file that nothing uses', 'main.bicep', /\nmodule failures[^]*?\n\}\n/, '', 'nothing uses infra/failures.bicep'],
    [
      'a parameter that main.bicep does not have',
      'main.parameters.json',
      '"modelName"',
      '"modelNames"',
      'main.bicep has no parameter modelNames',
    ],
    [
      'a parameter that the pipeline does not pass on',
      '../azure.yaml',
      '    - VISION_PRIVATE_NETWORKING\n',
      '',
      'azure.yaml does not pass VISION_PRIVATE_NETWORKING to the pipeline',
    ],
    [
      'an optional feature that is on by default',
      'main.bicep',
      'privateNetworking bool = false',
      'privateNetworking bool = true',
      'privateNetworking is not off by default',
    ],
    [
      'instances of 512 MB',
      'main.bicep',
      '@allowed([2048, 4096])',
      '@allowed([512, 2048, 4096])',
      'instanceMemoryMB allows',
    ],
    [
      'a location that azd does not recognize as a region',
      'main.bicep',
      "@metadata({ azd: { type: 'location' } })\n",
      '',
      'azd does not know',
    ],
    ['a secret as a parameter', 'main.bicep', 'param otlpEndpoint string', 'param otlpSecret string', 'BCP'],
    [
      'a storage key in a setting',
      'settings.bicep',
      "'managedidentity'",
      "'AccountKey=${storageName}'",
      'holds a secret',
    ],
    // Found in the predicted deployment.
    ['an unknown runtime', 'app.bicep', "name: 'node', version", "name: 'nodejs', version", 'runtime.name is "nodejs"'],
    [
      'a model account that accepts keys',
      'model.bicep',
      'disableLocalAuth: true',
      'disableLocalAuth: false',
      'disableLocalAuth is false',
    ],
    [
      'a storage account that accepts shared keys',
      'storage.bicep',
      '    allowSharedKeyAccess: false\n',
      '',
      'allowSharedKeyAccess is undefined',
    ],
    [
      'a model account that stays public with private networking',
      'model.bicep',
      "closed ? 'Disabled' : 'Enabled'",
      "'Enabled'",
      'private-networking: Microsoft.CognitiveServices/accounts: properties.publicNetworkAccess is "Enabled"',
    ],
    [
      'a value that Azure does not accept',
      'storage.bicep',
      "closed ? 'Disabled' : 'Enabled'",
      "closed ? 'Disabld' : 'Enabled'",
      'publicNetworkAccess is "Disabld"',
    ],
    [
      'an app that accepts passwords for publishing',
      'app.bicep',
      'allow: false',
      'allow: true',
      'properties.allow is true',
    ],
    [
      'the role Contributor',
      'app-access.bicep',
      'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
      'b24988ac-6180-42a0-ab88-20f7382dd24c',
      'unexpected role assignment',
    ],
    ['a role on the whole group', 'app-access.bicep', '  scope: storage\n', '', 'unexpected role assignment'],
    [
      'a role on the wrong resource',
      'app-access.bicep',
      '  scope: insights\n',
      '  scope: storage\n',
      'unexpected role assignment',
    ],
    [
      'a role assignment whose name does not depend on the principal',
      'model-access.bicep',
      'guid(account.id, caller.id, modelUser)',
      'guid(account.id, modelUser)',
      'name is',
    ],
    [
      'a role for a user instead of the pipeline',
      'main.bicep',
      'type: principalType }',
      "type: principalType == 'User' ? principalType : 'User' }",
      'pipeline: unexpected role assignment',
    ],
    [
      'a role for the system-assigned instead of the user-assigned identity',
      'main.bicep',
      'identity!.outputs.principalId :',
      'app.outputs.principalId :',
      'user-assigned-identity: unexpected role assignment',
    ],
    [
      'a setting that nothing reads',
      'settings.bicep',
      'AZURE_OPENAI_DEPLOYMENT:',
      'AZURE_OPENAI_DEPLOYMENTS:',
      'nothing reads the app setting',
    ],
    [
      'a second region with the endpoint of the first',
      'main.bicep',
      'secondRegion!.outputs.endpoint',
      'modelAccess.outputs.endpoint',
      'second-region: the app setting AZURE_OPENAI_ENDPOINT_2',
    ],
    [
      'more requests than there is memory for',
      'main.bicep',
      '(5 * requestBodyLimitMiB)',
      '(2 * requestBodyLimitMiB)',
      'concurrent requests do not match',
    ],
    [
      'different limits for the host and the app',
      'settings.bicep',
      'MAX_BODY_BYTES: string(common.requestBodyLimitMiB',
      'MAX_BODY_BYTES: string(2 * common.requestBodyLimitMiB',
      'the app setting MAX_BODY_BYTES of api',
    ],
    [
      'a protocol that the host does not speak',
      'settings.bicep',
      "'http/protobuf'",
      "'http/json'",
      'everything: the app setting OTEL_EXPORTER_OTLP_PROTOCOL of',
    ],
    [
      'sign-in settings that are not written when sign-in is off',
      'main.bicep',
      "module signIn 'sign-in.bicep' = {",
      "module signIn 'sign-in.bicep' = if (!empty(signInClientId)) {",
      'default: Microsoft.Web/sites/config: there are 1',
    ],
    ['a playground that needs a token', 'sign-in.bicep', ", '/api/playground'", '', 'excludedPaths'],
    [
      'an alert that counts wrong keys as failures',
      'failures.bicep',
      'where toint',
      'where Success == false or toint',
      'the log alerts count',
    ],
    [
      'an operator that Azure does not accept in an alert',
      'throttling.bicep',
      "'GreaterThanOrEqual'",
      "'GreaterOrEqual'",
      'an alert fires at',
    ],
    [
      'an alert in another subscription than its account',
      'main.bicep',
      'resourceGroup(modelSubscription, modelElsewhere ? modelGroup : groupName)',
      'group',
      'watches an account in another subscription',
    ],
    [
      'an alert in a resource group that does not exist',
      'main.bicep',
      'modelElsewhere ? modelGroup : groupName',
      'groupName',
      'is in an unexpected resource group',
    ],
    [
      'an alert window that is not a duration',
      'failures.bicep',
      "windowSize: 'PT15M'",
      "windowSize: '15 minutes'",
      'windowSize is',
    ],
    [
      'a missing DNS zone',
      'private-access.bicep',
      "  'privatelink.cognitiveservices.azure.com'\n",
      '',
      'privateDnsZones: there are 3',
    ],
    [
      'the DNS zone of another service',
      'private-access.bicep',
      'privatelink.cognitiveservices.azure.com',
      'privatelink.search.windows.net',
      'uses the DNS zones',
    ],
    [
      'a DNS zone that is not linked to the network',
      'private-dns.bicep',
      /for \(name, index\) in zones: \{\n {4}parent: zone\[index\]/,
      'for (name, index) in take(zones, 1): {\n    parent: zone[index]',
      'virtualNetworkLinks: there are 1',
    ],
    [
      'a private endpoint to the wrong part of a storage account',
      'private-access.bicep',
      'groupId: each.service',
      "groupId: 'table'",
      'private endpoints lead to',
    ],
    [
      'an app outside the network',
      'main.bicep',
      "privateNetworking ? network!.outputs.appSubnetId : ''",
      "''",
      'virtualNetworkSubnetId',
    ],
    [
      'security rules that allow any source',
      'network.bicep',
      'sourceAddressPrefix: appRange',
      "sourceAddressPrefix: '*'",
      'the security rules are',
    ],
    ['a wrong service tag', 'main.bicep', "service: 'api'", "service: 'web'", 'the tags say'],
    [
      'a wrong output for the hooks',
      'main.bicep',
      'output SERVICE_API_SIGN_IN bool = !empty(signInClientId)',
      'output SERVICE_API_SIGN_IN bool = empty(signInClientId)',
      'the output SERVICE_API_SIGN_IN',
    ],
    [
      'a region parameter that is ignored for the second model',
      'main.bicep',
      'location: secondModelLocation',
      "location: empty(secondModelLocation) ? 'eastus2' : location",
      'second-region: oai2-',
    ],
    [
      'a module that does not wait for another',
      'main.bicep',
      '  dependsOn: [model]\n',
      '',
      'modelAccess does not wait for model',
    ],
    ['a missing limit of a parameter', 'main.bicep', '@minValue(40)\n', '', 'maximumInstanceCount is not limited'],
    [
      'a connection string as an output',
      'monitoring.bicep',
      /$/,
      'output where string = insights.properties.ConnectionString\n',
      'reads a secret',
    ],
    ['a subnet outside the network', 'network.bicep', '10.77.1.0/27', '10.78.1.0/27', 'is outside'],
    [
      'a missing app for jobs',
      'main.bicep',
      "module jobsApp 'app.bicep' = if (jobs) {",
      "module jobsApp 'app.bicep' = if (jobs && privateNetworking) {",
      'jobs: ',
    ],
    [
      'an app for callers that takes messages of jobs, too',
      'main.bicep',
      'isWorker: false',
      'isWorker: jobs',
      'unexpected app setting JOBS_WORKER',
    ],
    [
      'an app for jobs that takes no messages',
      'main.bicep',
      'isWorker: true',
      'isWorker: false',
      'JOBS_WORKER of jobs is undefined',
    ],
    [
      'a host that stops retrying too early',
      'settings.bicep',
      "maxRetries: '200'",
      "maxRetries: '2'",
      'JobsStorage__retry__maxRetries of jobs is "2"',
    ],
    [
      'a queue trigger with the identity of the other app',
      'main.bicep',
      'jobsIdentity!.outputs.clientId',
      'identity!.outputs.clientId',
      'everything: the app setting AZURE_CLIENT_ID of jobs',
    ],
    [
      'two hosts that share a storage account',
      'main.bicep',
      'storageName: jobsHostStorage!.outputs.name\n    common',
      'storageName: storage.outputs.name\n    common',
      'the app setting AzureWebJobsStorage__accountName of jobs',
    ],
    [
      'an app for jobs that anybody can call',
      'main.bicep',
      "httpAuthLevel: 'function'",
      "httpAuthLevel: 'anonymous'",
      'the app setting HTTP_AUTH_LEVEL of jobs',
    ],
    [
      'a queue whose name is not the one in the code',
      'main.bicep',
      "jobsName = 'vision-jobs'",
      "jobsName = 'jobs'",
      'containers and queues are',
    ],
    [
      'a missing poison queue',
      'main.bicep',
      "queues: [jobsName, '${jobsName}-poison']",
      'queues: [jobsName]',
      'jobs: ',
    ],
    [
      'a role on the whole storage account instead of a queue',
      'jobs-access.bicep',
      '  scope: queue\n',
      '  scope: storage\n',
      'unexpected role assignment: api, ServicePrincipal: c6a89b2d-59bc-44d0-9896-0f6e12d7b80a on',
    ],
    [
      'a wider role on the container of images',
      'jobs-access.bicep',
      "{ id: workerId, type: 'ServicePrincipal', role: blobReader }",
      "{ id: workerId, type: 'ServicePrincipal', role: blobContributor }",
      'unexpected role assignment: jobs, ServicePrincipal: ba92f5b4',
    ],
    [
      'an app for callers that may take messages of jobs',
      'jobs-access.bicep',
      '19e7f393-937e-4f77-808e-94535e297925',
      '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
      'unexpected role assignment: api, ServicePrincipal: 974c5e8b',
    ],
    [
      'a poison queue to which the worker may not write',
      'jobs-access.bicep',
      'scope: poisonQueue',
      'scope: queue',
      'missing role assignment: jobs, ServicePrincipal: c6a89b2d-59bc-44d0-9896-0f6e12d7b80a on',
    ],
    [
      'a worker that may not call the model',
      'main.bicep',
      'jobs ? [{ id: jobsPrincipal,',
      'jobs ? [{ id: appPrincipal,',
      'missing role assignment: jobs, ServicePrincipal: 5e0bd9bd',
    ],
    [
      'a worker that starts before its roles',
      'main.bicep',
      'dependsOn: [jobsAppAccess, jobsAccess, privateAccess]',
      'dependsOn: [jobsAppAccess, privateAccess]',
      'jobsSettings does not wait for jobsAccess',
    ],
    [
      'queues without a private endpoint',
      'main.bicep',
      "            { accountId: jobsStorage!.outputs.id, service: 'queue' }\n",
      '',
      'everything: ',
    ],
    [
      'a private endpoint for queues in the DNS zone of blobs',
      'private-access.bicep',
      'indexOf(storageServices, each.service)',
      "indexOf(storageServices, 'blob')",
      'everything: pe-queue-',
    ],
    [
      'an alert on the wrong queue',
      'main.bicep',
      "queueName: '${jobsName}-poison'",
      'queueName: jobsName',
      'the log alerts count',
    ],
    [
      'a service that azd never deploys',
      '../azure.yaml',
      '  jobs:\n    condition: ${VISION_JOBS}\n',
      '  job:\n    condition: ${VISION_JOBS}\n',
      'azure.yaml has',
    ],
    [
      'a service that azd always deploys',
      '../azure.yaml',
      '    condition: ${VISION_JOBS}\n',
      '',
      'default: azure.yaml has',
    ],
    [
      'a container of images whose name the app does not get',
      'main.bicep',
      '.outputs.blobUrl}${imagesName}',
      '.outputs.blobUrl}pictures-2026',
      'the app setting IMAGE_CONTAINERS of api',
    ],
    [
      'a container app that may change the model account',
      'container/container-app.bicep',
      '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd',
      'b24988ac-6180-42a0-ab88-20f7382dd24c',
      'unexpected role assignment',
    ],
    [
      'a container app with a role on the whole group',
      'container/container-app.bicep',
      '  scope: account\n',
      '',
      'unexpected role assignment',
    ],
    [
      'a container app that accepts plain HTTP',
      'container/container-app.bicep',
      'allowInsecure: false',
      'allowInsecure: true',
      'accepts plain HTTP',
    ],
    [
      'a container app that pulls its image with a password',
      'container/container-app.bicep',
      'identity: identity.id }]',
      "passwordSecretRef: 'pass' }]",
      'not pulled by the identity',
    ],
    [
      'a key as an output of the container app',
      'container/container-app.bicep',
      /$/,
      'output key string = account.listKeys().key1\n',
      'outputs-should-not-contain-secrets',
    ],
    [
      'a variable that the server does not read',
      'container/container-app.bicep',
      "name: 'AUTH_CLIENT_ID'",
      "name: 'AUTH_CLIENT'",
      'nothing reads the variable AUTH_CLIENT',
    ],
    ['an app on the wrong plan', 'app.bicep', 'serverFarmId: plan.id', 'serverFarmId: plan.name', 'the app runs on'],
    [
      'CORS origins that are ignored',
      'main.bicep',
      '    corsOrigins: corsOrigins\n',
      "    corsOrigins: ''\n",
      'no-unused-params',
    ],
  ])('%s', async (_what, file, from, to, finding) => {
    expect((await check(bicep, patched(file, from, to))).join('\n')).toContain(finding);
  });
});

describe('the check accepts', () => {
  test.each<Patch>([
    ['a symbol with another name in one file', 'monitoring.bicep', /\bworkspace(?=[. ](?:'Micro|id))/g, 'logs'],
    ['a comment', 'model.bicep', 'param closed bool', '// One more comment.\nparam closed bool'],
    ['more tokens a minute', 'main.bicep', 'modelCapacity int = 30', 'modelCapacity int = 100'],
    [
      'another model',
      'main.bicep',
      /modelName string = '[^']+'\nparam modelVersion string = '[^']+'/,
      "modelName string = 'gpt-4.1'\nparam modelVersion string = '2025-04-14'",
    ],
    ['storage in three zones', 'storage.bicep', 'Standard_LRS', 'Standard_ZRS'],
    [
      'one more tag',
      'main.bicep',
      "{ 'azd-env-name': environmentName }",
      "{ 'azd-env-name': environmentName, owner: 'vision' }",
    ],
    ['a longer retention of logs', 'monitoring.bicep', 'retentionInDays: 30', 'retentionInDays: 90'],
    ['more instances', 'main.bicep', 'maximumInstanceCount int = 40', 'maximumInstanceCount int = 100'],
    ['another supported version of Node', 'main.bicep', "nodeVersion string = '24'", "nodeVersion string = '22'"],
  ])('%s', async (_what, file, from, to) => {
    expect(await check(bicep, patched(file, from, to))).toEqual([]);
  });
});

/** Copies everything that is checked, with one file patched. The copy is deleted after the test. */
function patched(file: string, from: string | RegExp, to: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'template-'));
  onTestFinished(() => rmSync(copy, { recursive: true }));
  for (const name of ['infra', CASE_FOLDER, 'azure.yaml'])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  const path = join(copy, 'infra', file);
  const before = readFileSync(path, 'utf8');
  const after = before.replace(from, () => to);
  expect(after).not.toBe(before);
  writeFileSync(path, after);
  return copy;
}
