import type { Handle } from '../http/create-handler.ts';
import { Problem } from '../http/problem.ts';
import type { Service } from './service.ts';

/** `GET /api/models`: answers with OpenAI's list of models. Its only entry is the deployment. */
export function models({ settings }: Service): Handle {
  const body = JSON.stringify({ object: 'list', data: [modelObject(settings.deployment)] });
  return async () => ({ status: 200, headers: { 'content-type': 'application/json' }, body });
}

/** `GET /api/models/{id}`: answers with the deployment as an OpenAI model object. */
export function model({ settings: { deployment } }: Service): Handle {
  const body = JSON.stringify(modelObject(deployment));
  return async ({ request }) => {
    const id = decodeURIComponent(request.url.pathname.split('/').at(-1) ?? '');
    if (id === deployment) return { status: 200, headers: { 'content-type': 'application/json' }, body };
    throw new Problem('not_found', `There is no model of that name. The only model is ${deployment}.`);
  };
}

/** `created` is 0, because only Azure's control plane knows when a deployment was created. */
function modelObject(id: string): object {
  return { id, object: 'model', created: 0, owned_by: 'azure' };
}
