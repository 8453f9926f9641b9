import type { AuthLevel } from '../config/sign-in.ts';
import type { OperationObject, ParameterObject, PathsObject } from 'openapi3-ts/oas31';
import { chatCompletions } from './paths/chat-completions.ts';
import { model, models } from './paths/models.ts';
import { responses } from './paths/responses.ts';

/** Prefixes that clients put before OpenAI's paths, and the suffixes that make the operation ids unique. */
const PREFIXES = [
  ['', ''],
  ['/v1', 'V1'],
  ['/openai/v1', 'OpenAiV1'],
  ['/openai', 'OpenAi'],
] as const;

/** Azure's clients send both. The app ignores them, because it always asks its own deployment. */
const IGNORED: readonly ParameterObject[] = [
  { name: 'name', in: 'path', required: true, schema: { type: 'string' }, description: 'Ignored' },
  { name: 'api-version', in: 'query', schema: { type: 'string' }, description: 'Ignored' },
];

/** Describes the paths of OpenAI's APIs, with every prefix that clients put before them. */
export function openAiPaths(authLevel: AuthLevel): PathsObject {
  const paths = PREFIXES.flatMap(([prefix, suffix]) => {
    const named = (operation: OperationObject): OperationObject => ({
      ...operation,
      operationId: `${operation.operationId}${suffix}`,
    });
    return [
      [`${prefix}/chat/completions`, { post: named(chatCompletions(authLevel)) }],
      [`${prefix}/responses`, { post: named(responses(authLevel)) }],
      [`${prefix}/models`, { get: named(models(authLevel)) }],
      [`${prefix}/models/{id}`, { get: named(model(authLevel)) }],
    ];
  });
  const ofDeployment = {
    ...chatCompletions(authLevel),
    operationId: 'chatCompletionsDeployment',
    parameters: [...IGNORED],
  };
  return {
    ...Object.fromEntries(paths),
    '/openai/deployments/{name}/chat/completions': { post: ofDeployment },
  };
}
