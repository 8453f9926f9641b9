import type { AuthLevel } from '../config/sign-in.ts';
import type { OpenAPIObject } from 'openapi3-ts/oas31';
import type { Limits } from '../config/limits.ts';
import { answerSchemas } from './answer-schemas.ts';
import { chatSchemas } from './paths/chat-completions.ts';
import { commonHeaders } from './components.ts';
import { info, tags } from './info.ts';
import { openAiPaths } from './openai-paths.ts';
import { health, ready, readySchemas } from './paths/health.ts';
import { cancelJob, createJob, job, jobResults, jobSchemas } from './paths/jobs.ts';
import { mcp } from './paths/mcp.ts';
import { openApi, playground } from './paths/learn.ts';
import { processImage } from './paths/process-image.ts';
import { problemSchemas } from './problem-schemas.ts';
import { problemExamples } from './problem-responses.ts';
import { questionParameters, questionSchemas } from './question-schemas.ts';
import { responsesSchemas } from './paths/responses.ts';
import { securityOf } from './security.ts';

/** What differs between deployments of the app. */
export interface Deployed {
  readonly limits: Limits;
  /** How callers of the protected routes sign in. */
  readonly authLevel: AuthLevel;
}

/** Creates the OpenAPI 3.1 document of all routes of this app: https://spec.openapis.org/oas/v3.1.1.html */
export function openApiDocument({ limits, authLevel }: Deployed): OpenAPIObject {
  const { security, securitySchemes } = securityOf(authLevel);
  return {
    openapi: '3.1.1',
    info,
    servers: [{ url: '/api', description: 'The host that serves this document' }],
    tags,
    security,
    paths: {
      '/processImage': { post: processImage(authLevel) },
      ...openAiPaths(authLevel),
      '/mcp': { post: mcp(authLevel) },
      '/jobs': { post: createJob(authLevel) },
      '/jobs/{id}': { get: job(authLevel), delete: cancelJob(authLevel) },
      '/jobs/{id}/results': { get: jobResults(authLevel) },
      '/health': { get: health },
      '/health/ready': { get: ready(authLevel) },
      '/openapi.json': { get: openApi },
      '/playground': { get: playground },
    },
    components: {
      securitySchemes,
      parameters: questionParameters(),
      headers: commonHeaders,
      examples: problemExamples(),
      schemas: {
        ...questionSchemas(limits),
        ...answerSchemas,
        ...chatSchemas,
        ...responsesSchemas,
        ...jobSchemas,
        ...readySchemas,
        ...problemSchemas(),
      },
    },
  };
}
