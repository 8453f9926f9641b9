import type { Handle } from '../http/create-handler.ts';
import { Problem } from '../http/problem.ts';
import type { Service } from './service.ts';

/** `GET /api/models`: OpenAI's list of models, with the deployment in it. */
export function models({ settings }: Service): Handle {
  const body = JSON.stringify({ object: 'list', data: [modelObject(settings.deployment)] });
  return async () => ({ status: 200, headers: { 'content-type': 'application/json' }, body });
}

/** `GET /api/models/{id}`: the deployment, in OpenAI's words. */
export function model({ settings: { deployment } }: Service): Handle {
  const body = JSON.stringify(modelObject(deployment));
  return async ({ request }) => {
    const id = decodeURIComponent(new URL(request.url).pathname.split('/').at(-1) ?? '');
    if (id === deployment) return { status: 200, headers: { 'content-type': 'application/json' }, body };
    throw new Problem('not_found', `There is no model of that name. The one that there is: ${deployment}.`);
  };
}

/** It says nothing of when it was made, since only the control plane knows. */
function modelObject(id: string): object {
  return { id, object: 'model', created: 0, owned_by: 'azure' };
}
