import { type Answer, jsonAnswer } from './answer.ts';
import type { Respond } from './endpoint.ts';
import type { TokenAuthority } from './tokens.ts';

/** The id of the only subscription. */
export const SUBSCRIPTION = '00000000-0000-4000-8000-000000000007';
const AUDIENCE = 'https://management.azure.com';
const PROVIDER = '/providers/Microsoft.CognitiveServices';

/** The content of the subscription. */
export interface ControlPlane {
  /** The models of every location, in the format of the REST API. They are returned in two pages, like a long list. */
  readonly models: readonly object[];
  readonly accounts: readonly Account[];
}

/** A resource and its deployments. */
export interface Account {
  readonly name: string;
  readonly location: string;
  readonly endpoint: string;
  /** Model and version by the deployment's name. */
  readonly deployments: Readonly<Record<string, { name: string; version: string }>>;
}

/**
 * Emulates the part of Azure Resource Manager that lists models:
 * https://learn.microsoft.com/rest/api/aiservices/accountmanagement/models/list
 */
export function controlPlane(authority: TokenAuthority, { models, accounts }: ControlPlane): Respond {
  return async ({ headers, path, query }) => {
    const [, bearer = ''] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
    if (!(await authority.verify(bearer, [AUDIENCE, `${AUDIENCE}/`])))
      return refuse(401, 'InvalidAuthenticationToken', 'The access token is invalid.');

    const [, subscription = '', rest = ''] = /^\/subscriptions\/([^/]+)(.*)$/.exec(path) ?? [];
    if (subscription !== SUBSCRIPTION)
      return refuse(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`);
    const root = `/subscriptions/${SUBSCRIPTION}`;
    if (rest === `${PROVIDER}/accounts`)
      return jsonAnswer(200, { value: accounts.map((account) => resource(root, account)) });
    if (/\/locations\/[^/]+\/models$/.test(rest)) return page(models, `https://${headers.host}${path}`, query);
    const [, account = '', deployment = ''] = /\/accounts\/([^/]+)\/deployments\/([^/]+)$/.exec(rest) ?? [];
    const model = accounts.find(({ name }) => name === account)?.deployments[deployment];
    return model
      ? jsonAnswer(200, { name: deployment, properties: { model: { format: 'OpenAI', ...model } } })
      : refuse(404, 'ResourceNotFound', 'The resource was not found.');
  };
}

function resource(root: string, { name, location, endpoint }: Account): object {
  const id = `${root}/resourceGroups/emulated-group${PROVIDER}/accounts/${name}`;
  return { id, name, location, kind: 'OpenAI', properties: { endpoint, customSubDomainName: name } };
}

function page(models: readonly object[], url: string, query: URLSearchParams): Answer {
  const half = Math.ceil(models.length / 2);
  if (query.has('page')) return jsonAnswer(200, { value: models.slice(half) });
  const next = new URLSearchParams([...query, ['page', '2']]).toString();
  return jsonAnswer(200, { value: models.slice(0, half), nextLink: `${url}?${next}` });
}

function refuse(status: number, code: string, message: string): Answer {
  return jsonAnswer(status, { error: { code, message } });
}
