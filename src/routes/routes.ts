import { openAiErrorResponse } from '../http/openai-error.ts';
import { problemResponse } from '../http/problem-response.ts';
import { chatCompletions } from './chat-completions.ts';
import { health } from './health.ts';
import { notFound } from './not-found.ts';
import { openApi } from './openapi.ts';
import { playground } from './playground.ts';
import { processImage } from './process-image.ts';
import { ready } from './ready.ts';
import { METHODS, type Route } from './route.ts';

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
  {
    name: 'chatCompletions',
    methods: ['POST'],
    path: 'chat/completions',
    isPublic: false,
    create: chatCompletions,
    toReply: openAiErrorResponse,
  },
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

/** All routes. The last takes what no other does; on the Functions host that is so because its name sorts last. */
export const ROUTES: readonly Route[] = [
  ...DESCRIBED,
  {
    name: 'zzNotFound',
    methods: METHODS,
    path: '{*path}',
    isPublic: false,
    create: () => notFound(DESCRIBED),
    toReply: problemResponse,
  },
];
