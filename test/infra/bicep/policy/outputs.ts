import type { Deployment } from '../deployment.ts';

/** azd and the hooks get what they read, and nothing else. */
export function outputs(deployment: Deployment): string[] {
  const { principalType, privateNetworking, signIn } = deployment.case;
  const site = deployment.only('Microsoft.Web/sites').id;
  const [model = ''] = deployment.models;
  const expected: Record<string, unknown> = {
    AZURE_RESOURCE_GROUP: 'rg-test',
    AZURE_OPENAI_DEPLOYMENT: 'vision',
    AZURE_OPENAI_ENDPOINT: new RegExp(`^\\[reference\\('${model}', '[^']+'\\)\\.endpoint\\]$`),
    MODEL_OPEN_TO_DEVELOPER: Boolean(principalType) && !privateNetworking,
    SERVICE_API_ID: site,
    SERVICE_API_URI: new RegExp(
      `^\\[format\\('https://\\{0\\}', reference\\('${site}', '[^']+'\\)\\.defaultHostName\\)\\]$`,
    ),
    SERVICE_API_SIGN_IN: Boolean(signIn),
    RESOURCE_MANAGER: '[environment().resourceManager]',
  };
  const names = new Set([...Object.keys(expected), ...Object.keys(deployment.outputs)]);
  return [...names].flatMap((name) => {
    const [found, should] = [deployment.outputs[name], expected[name]];
    const right = should instanceof RegExp ? should.test(String(found)) : found === should && name in expected;
    return right ? [] : [`the output ${name} is ${JSON.stringify(found)}`];
  });
}
