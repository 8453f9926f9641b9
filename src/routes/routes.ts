import type { Handle } from '../http/create-handler.ts';
import { openAiErrorResponse, problemResponse } from '../http/problem-response.ts';
import { chatCompletions, responses } from './openai.ts';
import { health, ready } from './health.ts';
import { cancelJob, createJob, job, jobResults } from './jobs.ts';
import { mcp, mcpErrorResponse } from './mcp.ts';
import { model, models } from './models.ts';
import { notFound, notFoundReply } from './not-found.ts';
import { openApi } from './openapi.ts';
import { playground } from './playground.ts';
import { processImage } from './process-image.ts';
import { METHODS, type Route } from './route.ts';
import type { Service } from './service.ts';

/** Prefixes that clients put before OpenAI's paths, and the suffixes that make the names of their functions unique. */
const OPENAI_PREFIXES = [
  ['', ''],
  ['v1/', 'V1'],
  ['openai/v1/', 'OpenAiV1'],
  ['openai/', 'OpenAi'],
] as const;

/** The routes that openapi.json describes. */
const DESCRIBED: readonly Route[] = [
  {
    name: 'processImage',
    methods: ['POST'],
    path: 'processImage',
    isPublic: false,
    create: processImage,
    toReply: problemResponse,
  },
  ...OPENAI_PREFIXES.flatMap(([prefix, suffix]) => [
    openAi(`chatCompletions${suffix}`, 'POST', `${prefix}chat/completions`, chatCompletions),
    openAi(`responses${suffix}`, 'POST', `${prefix}responses`, responses),
    openAi(`models${suffix}`, 'GET', `${prefix}models`, models),
    openAi(`model${suffix}`, 'GET', `${prefix}models/{id}`, model),
  ]),
  openAi('chatCompletionsDeployment', 'POST', 'openai/deployments/{name}/chat/completions', chatCompletions),
  { name: 'mcp', methods: ['POST'], path: 'mcp', isPublic: false, create: mcp, toReply: mcpErrorResponse },
  jobs('jobCreate', 'POST', 'jobs', createJob),
  jobs('jobStatus', 'GET', 'jobs/{id}', job),
  jobs('jobCancel', 'DELETE', 'jobs/{id}', cancelJob),
  jobs('jobResults', 'GET', 'jobs/{id}/results', jobResults),
  {
    name: 'health',
    methods: ['GET'],
    path: 'health',
    isPublic: true,
    create: health,
    toReply: problemResponse,
    isQuiet: true,
  },
  {
    name: 'ready',
    methods: ['GET'],
    path: 'health/ready',
    isPublic: false,
    create: ready,
    toReply: problemResponse,
  },
  {
    name: 'openapi',
    methods: ['GET'],
    path: 'openapi.json',
    isPublic: true,
    create: openApi,
    toReply: problemResponse,
  },
  {
    name: 'playground',
    methods: ['GET'],
    path: 'playground',
    isPublic: true,
    create: playground,
    toReply: problemResponse,
  },
];

/**
 * All routes. The last one takes every other request. Its name must sort last, because the Functions host sorts by
 * name.
 */
export const ROUTES: readonly Route[] = [
  ...DESCRIBED,
  {
    name: 'zzNotFound',
    methods: METHODS,
    path: '{*path}',
    isPublic: false,
    create: () => notFound(DESCRIBED),
    toReply: notFoundReply,
  },
];
function openAi(name: string, method: 'GET' | 'POST', path: string, create: (service: Service) => Handle): Route {
  return { name, methods: [method], path, isPublic: false, create, toReply: openAiErrorResponse };
}

function jobs(
  name: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  create: (service: Service) => Handle,
): Route {
  return { name, methods: [method], path, isPublic: false, create, toReply: problemResponse };
}
