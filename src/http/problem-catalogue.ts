import type { SchemaObject } from 'openapi3-ts/oas31';

/** The members of a problem by name. The example of the problem uses the first of each schema's `examples`. */
export type Members = Readonly<Record<string, SchemaObject>>;

/** One kind of problem. `problem.ts`, openapi.json and the table in src/README.md are made from it. */
interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** When it occurs, for the table. */
  readonly when: string;
  /** An example of its `detail`. */
  readonly detail: string;
  /** Members that it always has, in addition to those of every problem. */
  readonly members?: Members;
  /** Members that it has if they are known. */
  readonly optional?: Members;
  /** Whether its response may have a Retry-After header. */
  readonly retryAfter?: true;
}

/** Members of problems that are caused by a response of the model's service. */
export const upstream: Members = {
  upstreamStatus: {
    type: 'integer',
    description: "The status of the model's response, or the one that an error event in its stream stands for",
  },
  upstreamRequestId: { type: ['string', 'null'], description: "Azure's id of the request, for its support" },
};

const count: SchemaObject = { type: 'integer', minimum: 0 };

/** The tokens of an answer. */
export const usage: SchemaObject = {
  type: 'object',
  description: 'Tokens, as the model counts them',
  properties: {
    inputTokens: count,
    cachedInputTokens: {
      ...count,
      description: 'The part of inputTokens that the service had cached, at a lower price',
    },
    outputTokens: count,
    reasoningTokens: { ...count, description: 'The part of outputTokens that the model used for reasoning' },
    totalTokens: count,
  },
  required: ['inputTokens', 'cachedInputTokens', 'outputTokens', 'reasoningTokens', 'totalTokens'],
  additionalProperties: false,
  examples: [{ inputTokens: 796, cachedInputTokens: 0, outputTokens: 75, reasoningTokens: 64, totalTokens: 871 }],
};

const image: SchemaObject = { type: 'integer', minimum: 1, description: 'Which of several images, counted from 1' };

const bytesAtMost: SchemaObject = { type: 'integer', minimum: 1, description: 'Bytes', examples: [20_971_520] };

const account: SchemaObject = { type: 'string', description: "The storage account's name", examples: ['photos'] };

/** How many faults a problem lists. A person mends a few at a time, but one request can have tens of thousands. */
export const MAX_ERRORS = 10;

const errors: SchemaObject = {
  type: 'array',
  minItems: 1,
  maxItems: MAX_ERRORS,
  items: {
    type: 'object',
    properties: { field: { type: 'string' }, message: { type: 'string' } },
    required: ['field', 'message'],
    additionalProperties: false,
  },
  description: `The faults of the request, or the first ${MAX_ERRORS} if there are more`,
  examples: [[{ field: 'detail', message: 'must be high, low, auto or original' }]],
};

const ROLE = 'Cognitive Services OpenAI User';

const textOrNull: SchemaObject = { type: ['string', 'null'] };

const attempts: SchemaObject = {
  type: 'array',
  items: {
    type: 'object',
    properties: { credential: { type: 'string' }, said: { type: 'string' } },
    required: ['credential', 'said'],
    additionalProperties: false,
  },
  description: 'Why each credential failed',
  examples: [[{ credential: 'ManagedIdentityCredential', said: 'no managed identity is switched on here' }]],
};

const identity: SchemaObject = {
  type: 'object',
  properties: { tenant: textOrNull, objectId: textOrNull, audience: textOrNull, expires: textOrNull },
  required: ['tenant', 'objectId', 'audience', 'expires'],
  additionalProperties: false,
  description: 'The claims of the token that the app sent',
};

const categories: SchemaObject = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      category: { type: 'string' },
      severity: { type: ['string', 'null'], description: 'null for filters that only say yes or no' },
      source: { type: 'string', enum: ['prompt', 'answer'] },
    },
    required: ['category', 'severity', 'source'],
    additionalProperties: false,
  },
  description: 'The filters that stopped it',
  examples: [[{ category: 'violence', severity: 'high', source: 'prompt' }]],
};

/** All problems by code. Clients rely on the codes, so a code must never change its meaning. */
export const PROBLEMS = {
  missing_instructions: {
    status: 400,
    title: 'Instructions are missing',
    when: '`instructions` is missing or blank',
    detail: 'Say what you want to know: add ?instructions=… to the URL, percent-encoded, or a field of that name.',
  },
  invalid_request: {
    status: 400,
    title: 'The request is not valid',
    when: 'a field is missing, wrong or unknown; `errors` names each, up to 10',
    detail: 'detail must be high, low, auto or original.',
    members: { errors },
    optional: { image },
  },
  empty_image: {
    status: 400,
    title: 'There is no image',
    when: 'there is no image, or it has no bytes',
    detail: 'There is no image in the request. Send its bytes as the body, or as a part called image.',
    optional: { image },
  },
  too_many_images: {
    status: 400,
    title: 'Too many images',
    when: 'there are more images than `MAX_IMAGES`',
    detail: 'One question may have at most 10 images. Send several requests.',
    members: { limit: { type: 'integer', minimum: 1, description: 'Images', examples: [10] } },
  },
  unauthenticated: {
    status: 401,
    title: 'The caller is not signed in',
    when:
      'on the server only: the Entra token is missing, expired, or not for this service; ' +
      '`WWW-Authenticate` says which',
    detail:
      'The request has no token. Send "Authorization: Bearer" with an Entra access token for ' +
      'api://00000000-0000-0000-0000-000000000000/.default.',
  },
  caller_not_allowed: {
    status: 403,
    title: 'The caller is not allowed',
    when: "on the server only: the token's application is not in `AUTH_ALLOWED_CLIENTS`",
    detail:
      'The application 00000000-0000-0000-0000-000000000000 may not call this service. Its operator can ' +
      'add it to AUTH_ALLOWED_CLIENTS.',
  },
  blob_not_allowed: {
    status: 403,
    title: 'The blob may not be read',
    when: 'the blob is in no container of `IMAGE_CONTAINERS`, or its URL is not plain',
    detail:
      'The blob may not be read. It is in none of the containers that IMAGE_CONTAINERS names. A blob is ' +
      'named by its plain URL, https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME.',
    optional: { image },
  },
  blob_not_found: {
    status: 404,
    title: 'There is no such blob',
    when: 'the container has no such blob, or there is no such container',
    detail: 'There is no such blob. Check its container and its name, letter by letter.',
    optional: { image },
  },
  job_not_found: {
    status: 404,
    title: 'There is no such job',
    when: 'there is no job of this id',
    detail:
      'There is no such job. Its id is in the answer to POST /api/jobs, and a job is kept until its blobs are deleted.',
  },
  not_found: {
    status: 404,
    title: 'There is no such route',
    when: 'no such route, or no such model; `routes` lists the routes',
    detail: 'There is no such route. There are: POST /api/processImage. GET /api/openapi.json describes them.',
    optional: { routes: texts('Methods and paths', 'POST /api/processImage') },
  },
  method_not_allowed: {
    status: 405,
    title: 'The route does not take this method',
    when: 'the route does not take the method; `Allow` says which it takes',
    detail: 'This route does not take GET. Use POST.',
    members: { allowed: texts('Methods, as in Allow', 'POST') },
  },
  not_acceptable: {
    status: 406,
    title: 'No acceptable type of answer',
    when: '`Accept` allows none of the answer types',
    detail:
      'The Accept header allows none of the available types. Accept one of these: text/plain, ' +
      'application/json, text/event-stream.',
    members: { supported: texts('MIME types', 'text/plain', 'application/json', 'text/event-stream') },
  },
  request_timeout: {
    status: 408,
    title: 'The request did not arrive in time',
    when: 'the body did not arrive in time',
    detail: 'The body did not arrive in time. Send it again, over a faster connection or smaller.',
  },
  body_too_large: {
    status: 413,
    title: 'The request body is too large',
    when: 'the body has more than `MAX_BODY_BYTES`, by its Content-Length or as it arrives',
    detail: 'The body has more than 104,857,600 bytes. Send fewer images, or scale them down.',
    members: { limit: bytesAtMost },
  },
  image_too_large: {
    status: 413,
    title: 'The image is too large',
    when: 'an image has more than `MAX_IMAGE_BYTES`, or more pixels than are handled',
    detail: 'The image has more than 20,971,520 bytes. Scale it down; the model does not see more detail than that.',
    members: { limit: bytesAtMost },
    optional: {
      image,
      maxPixels: { type: 'integer', minimum: 1, description: 'The limit of width times height, if it is exceeded' },
    },
  },
  unsupported_image_type: {
    status: 415,
    title: 'Not a supported image',
    when:
      'not an image that is taken here, or something else under the wrong Content-Type; `detected` ' +
      'says what it looks like',
    detail:
      'This is image/bmp. Send a PNG, JPEG, WEBP, GIF, HEIC, HEIF, AVIF or TIFF. Only the bytes count, ' +
      'not the file name or the Content-Type.',
    members: {
      detected: {
        type: ['string', 'null'],
        description: 'The MIME type that the bytes look like; null if it is unknown',
        examples: ['image/bmp'],
      },
      supported: texts(
        'MIME types',
        'image/png',
        'image/jpeg',
        'image/webp',
        'image/gif',
        'image/heic',
        'image/heif',
        'image/avif',
        'image/tiff',
      ),
    },
    optional: { image },
  },
  unsupported_encoding: {
    status: 415,
    title: 'The Content-Encoding is not supported',
    when: 'the body has a Content-Encoding: send it uncompressed',
    detail: 'The body has Content-Encoding: gzip. Send it as it is, without that header.',
    members: {
      encoding: { type: 'string', description: 'The Content-Encoding of the request', examples: ['gzip'] },
    },
  },
  animated_image: {
    status: 415,
    title: 'The image is animated',
    when: 'the image has more than one frame',
    detail:
      'This GIF is animated, and the model would see one frame only. Send the frame that you mean as a still image.',
    optional: { image },
  },
  corrupt_image: {
    status: 422,
    title: 'The image is damaged',
    when: 'cut off, or damaged so that no decoder opens it; stray bytes that decoders skip do not matter',
    detail: 'The JPEG is cut off before its end. Export or upload the image again.',
    optional: { image },
  },
  content_filtered: {
    status: 422,
    title: 'Stopped by the content filter',
    when: 'the content filter refused; `categories` names the filters',
    detail:
      'The content filter stopped the image or the instructions. ' +
      "Change the image or the instructions, or the deployment's filter.",
    members: { categories },
    optional: { ...upstream, usage },
  },
  image_rejected: {
    status: 422,
    title: 'The model rejected the image',
    when: "the model's service could not use the image",
    detail: 'The model could not use the image: Invalid image data.',
    optional: upstream,
  },
  answer_incomplete: {
    status: 422,
    title: 'The answer is incomplete',
    when: 'no words came, or not the JSON that the schema asks for',
    detail: 'The answer was cut off: raise maxTokens.',
    members: {
      finishReason: { type: 'string', examples: ['length'] },
      answer: { type: 'string', description: 'The answer so far', examples: ['{"boats": 1, "wea'] },
      usage,
    },
  },
  rate_limited: {
    status: 429,
    title: 'The model is busy',
    when: 'the deployment is at its limit, after the retries; Retry-After is passed on',
    detail:
      'The deployment has reached its limit of requests or tokens. Wait as Retry-After says, or raise its capacity.',
    optional: upstream,
    retryAfter: true,
  },
  misconfigured: {
    status: 500,
    title: 'The service is misconfigured',
    when: 'settings are missing or wrong; `settings` names them',
    detail:
      "The app's settings need attention. AZURE_OPENAI_DEPLOYMENT is not set. It is the name you gave " +
      'the deployment, not the model.',
    members: { settings: texts('Names of settings', 'AZURE_OPENAI_DEPLOYMENT') },
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    when: 'a fault of this app; the log has the place, under the request id',
    detail: 'The service has a fault. Its log has the reason, under the request id.',
  },
  model_access_denied: {
    status: 502,
    title: 'The model denied access',
    when:
      '`reason` says why: `role` (missing, or given minutes ago), `network`, `tenant`, `token`, ' +
      '`key-disabled`, `gateway` or `resource`',
    detail:
      "The resource my-resource refused this app's identity (401): it lacks the role. Next: az role " +
      'assignment create … ' +
      `The identity needs the role '${ROLE}' on the resource; a new assignment takes 5 to 10 minutes to apply.`,
    members: {
      reason: {
        type: 'string',
        enum: ['role', 'network', 'tenant', 'token', 'key-disabled', 'gateway', 'resource'],
        examples: ['role'],
      },
      role: { const: ROLE, description: 'The least role that the identity needs', examples: [ROLE] },
      resource: { type: 'string', description: 'The name of the Azure OpenAI resource', examples: ['my-resource'] },
    },
    optional: { ...upstream, identity },
  },
  deployment_not_found: {
    status: 502,
    title: 'The deployment was not found',
    when: 'the deployment name or the API version is wrong, or the model is retired',
    detail:
      'There is no such deployment at the endpoint (404). ' +
      "Check AZURE_OPENAI_DEPLOYMENT (the deployment's name, not the model's) and OPENAI_API_VERSION. " +
      'A new deployment takes up to 5 minutes to become available. A deployment of a retired model no longer works.',
    optional: upstream,
  },
  upstream_error: {
    status: 502,
    title: 'The model failed',
    when: "the model's service failed, or something else answered",
    detail: "The model's service failed (500, on each of 3 attempts). Try again in a while.",
    optional: upstream,
    retryAfter: true,
  },
  storage_access_denied: {
    status: 502,
    title: 'The storage account denied access',
    when: "the app's identity lacks `role` on the storage `account`, or its firewall keeps the app out",
    detail:
      "The storage account photos refused this app's identity (403). Next: az role assignment create " +
      "--role 'Storage Blob Data Reader' …",
    members: {
      role: {
        type: 'string',
        description: 'The least role that the identity needs',
        examples: ['Storage Blob Data Reader'],
      },
      account,
    },
    optional: { image },
  },
  storage_error: {
    status: 502,
    title: 'The storage account failed',
    when: 'the storage `account` failed or cannot be reached',
    detail: 'The storage account photos failed (500). Try again in a while.',
    optional: { image, account },
  },
  identity_unavailable: {
    status: 503,
    title: 'The service could not sign in to Azure',
    when: 'no token; `attempts` says what each credential answered, and what to do',
    detail:
      'The service could not sign in to Azure. ManagedIdentityCredential: no managed identity is switched on here. ' +
      "Next: switch on the app's system-assigned identity (az functionapp identity assign, or az " +
      'containerapp identity assign --system-assigned).',
    members: { credentials: texts('The credentials that were tried', 'ManagedIdentityCredential'), attempts },
    retryAfter: true,
  },
  overloaded: {
    status: 503,
    title: 'The service is overloaded',
    when: 'the requests in progress hold as much memory as they may; Retry-After',
    detail: 'The service has no memory left for this request. Try again in a moment.',
    retryAfter: true,
  },
  upstream_timeout: {
    status: 504,
    title: 'The model did not answer in time',
    when: '`REQUEST_TIMEOUT_SECONDS` passed before the model answered',
    detail: 'The model did not answer in time. Try again, ask for less, or raise REQUEST_TIMEOUT_SECONDS.',
    optional: upstream,
  },
} as const satisfies Record<string, ProblemKind>;

/** The stable code of a problem, for programs. */
export type ProblemCode = keyof typeof PROBLEMS;

/** Returns the catalogue's entry for a code. */
export function problemKind(code: ProblemCode): ProblemKind {
  return PROBLEMS[code];
}

/** Makes the schema of an array of strings. */
function texts(description: string, ...example: string[]): SchemaObject {
  return { type: 'array', items: { type: 'string' }, description, examples: [example] };
}
