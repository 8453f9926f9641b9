import type { Deployment } from '../deployment.ts';

/** Checks that the outputs are exactly those that azd and the hooks read. */
export function outputs(deployment: Deployment): string[] {
  const { principalType, privateNetworking, signIn, jobs } = deployment.case;
  const site = deployment.site('api').id;
  const principals = deployment.services.map((service) => deployment.identity(service).principalId);
  const [model = ''] = deployment.models;
  const expected: Record<string, unknown> = {
    AZURE_RESOURCE_GROUP: 'rg-test',
    AZURE_OPENAI_DEPLOYMENT: 'vision',
    AZURE_OPENAI_ENDPOINT: new RegExp(`^\\[reference\\('${model}', '[^']+'\\)\\.endpoint\\]$`),
    MODEL_OPEN_TO_DEVELOPER: Boolean(principalType) && !privateNetworking,
    SERVICE_API_ID: site,
    SERVICE_API_URI: urlOf(site),
    SERVICE_API_SIGN_IN: Boolean(signIn),
    SERVICE_JOBS_ID: jobs ? deployment.site('jobs').id : '',
    SERVICE_JOBS_URI: jobs ? urlOf(deployment.site('jobs').id) : '',
    JOBS_STORAGE_ACCOUNT: jobs ? deployment.jobsStorage.name : '',
    APP_PRINCIPAL_IDS: jobs ? `[format('{0} {1}', ${principals.join(', ')})]` : `[${principals.join()}]`,
    RESOURCE_MANAGER: '[environment().resourceManager]',
  };
  const names = new Set([...Object.keys(expected), ...Object.keys(deployment.outputs)]);
  return [...names].flatMap((name) => {
    const [found, should] = [deployment.outputs[name], expected[name]];
    const right = should instanceof RegExp ? should.test(String(found)) : found === should && name in expected;
    return right ? [] : [`the output ${name} is ${JSON.stringify(found)}`];
  });
}

function urlOf(site: string): RegExp {
  return new RegExp(`^\\[format\\('https://\\{0\\}', reference\\('${site}', '[^']+'\\)\\.defaultHostName\\)\\]$`);
}
