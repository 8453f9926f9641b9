import { APIConnectionTimeoutError, APIError } from 'openai';
import { Problem } from '../http/problem.ts';
import { accessDenied, type CallerIdentity, isWrongTenant, type UpstreamOptions } from './access-denied.ts';
import { causes, connectionFailure } from './connection-failure.ts';
import { type FilteredCategory, filteredCategories, isPolicyRefusal } from './content-filter.ts';
import { proxyName } from './proxy.ts';
import { retryAfterInWords, retryAfterMs } from './retry.ts';
import { readUpstreamError, type UpstreamError } from './upstream-error.ts';

/** Codes and words with which the service says that an image is at fault. */
const IMAGE_CODE = /image/i;
const IMAGE_MESSAGE =
  /image data|valid image|\bimages?\b.{0,60}\b(?:invalid|corrupt|unsupported|exceeds?|exceeding|too (?:small|large|big|many)|not (?:a )?(?:valid|supported|readable)|requires)|\b(?:invalid|corrupt|unsupported|bad|could not|cannot|failed to|unable to|exceed\w*)\b.{0,40}\bimages?\b/is;
const TOO_MANY_PATCHES = /requires \d+ patches/i;
/**
 * The option has this name on every route:
 * https://platform.openai.com/docs/guides/images-vision#specify-image-input-detail-level
 */
const SCALE_DOWN = 'Use detail "high", so that the service scales the image down first, or send a smaller image.';
const API_VERSION = /\bapi[- ]?versions?\b/i;
/** The service's words if the deployment's model cannot see images. */
const CANNOT_SEE =
  /image_url is only supported|support(?:s|ed)? (?:for )?image input|does not support (?:image|vision)|image (?:input|content)s? (?:is|are) not supported/i;
const CANNOT_CHAT = /^OperationNotSupported$|^model_not_found$|^DeploymentNotFound$/i;
const SERVICE_TIER = /service_tier/i;
const QUOTA = /quota|rate limit|too many requests|call volume/i;

/** The request that failed, and how far it got. */
export interface Asked {
  readonly identity: CallerIdentity;
  /** Whether the caller wrote the request's parameters, and can correct them. */
  readonly isCallersOwn: boolean;
  /** HTTP requests to the service, including retries. */
  readonly attempts: number;
  /** Whether the answer has started to arrive. */
  readonly answerBegun: boolean;
}

/**
 * Turns a failure of the model's service into a problem that says what to do. It passes on the service's message only
 * if that is about an image, or about parameters that the caller wrote.
 */
export function upstreamFailure(error: unknown, asked: Asked): Problem {
  const own = causes(error).find((cause) => cause instanceof Problem);
  if (own) return own; // from the token source, wrapped by the SDK
  if (error instanceof APIConnectionTimeoutError) return timedOut(error);
  // An error event of a stream has a body but no status.
  if (error instanceof APIError && (error.status !== undefined || error.error !== undefined))
    return refusal(error, asked);
  // The SDK could not parse the response, or an event of the stream.
  if (error instanceof SyntaxError) return asked.answerBegun ? endedEarly() : notACompletion();
  return brokenOff(error, asked.identity);
}

/** Makes the problem of a request whose deadline passed before the model answered. */
export function timedOut(cause?: unknown, members = {}): Problem {
  return new Problem(
    'upstream_timeout',
    'The model did not answer in time. Try again, ask for less, or raise REQUEST_TIMEOUT_SECONDS.',
    { cause, members },
  );
}

/** Makes the problem of a 200 that is not a completion, because something else answered at the endpoint's address. */
export function notACompletion(response?: Response): Problem {
  const encoding = response?.headers.get('content-encoding');
  const [type] = /^[\w.+-]+\/[\w.+-]+/.exec(response?.headers.get('content-type') ?? '') ?? [];
  const what = encoding ? ' (its Content-Encoding is not supported)' : type ? ` (${type})` : '';
  return new Problem(
    'upstream_error',
    `The response is not a chat completion${what}. ` +
      "Check that AZURE_OPENAI_ENDPOINT is the model's resource and not a sign-in page or a gateway in front of it.",
  );
}

/** Makes the problem of a stream that ended without a reason. */
export function endedEarly(): Problem {
  return new Problem('upstream_error', 'The model stopped before its answer was complete. Try again.');
}

/** Reads Azure's id of a request, which Azure's support needs. */
export function upstreamRequestId(headers: Headers | undefined): string | null {
  return headers?.get('apim-request-id') ?? headers?.get('x-request-id') ?? null;
}

function refusal(error: APIError, asked: Asked): Problem {
  const said = readUpstreamError(error);
  const options = optionsOf(error, said);
  if (isWrongTenant(said)) return accessDenied(said, asked.identity, options);
  const about = contentProblem(error, said, asked, options);
  if (about) return about;
  const { status = 500 } = said;
  switch (status) {
    case 400:
      return badRequest(said, asked, options);
    case 401:
      return accessDenied(said, asked.identity, options);
    case 403:
      return QUOTA.test(said.message) ? rateLimited(options) : accessDenied(said, asked.identity, options);
    case 404:
    case 410:
      return API_VERSION.test(said.message) ? apiVersion(status, options) : deploymentNotFound(status, options);
    case 429:
      return rateLimited(options);
    default:
      return /^timeout$/i.test(said.code) || /^timeout$/i.test(said.type)
        ? timedOut(error, options.members)
        : new Problem('upstream_error', sentence(status, asked), options);
  }
}

/** Makes the problem of a refusal because of the content of the request or the answer. Returns undefined for others. */
function contentProblem(
  error: APIError,
  said: UpstreamError,
  { answerBegun }: Asked,
  options: UpstreamOptions,
): Problem | undefined {
  const source = answerBegun ? 'answer' : 'prompt';
  const categories = filteredCategories(error.error, source);
  if (isPolicyRefusal(said) || categories.length > 0) return filtered(source, categories, options);
  if (said.status !== 400 && said.status !== 413 && said.status !== 415 && said.status !== 422) return undefined;
  if (CANNOT_SEE.test(said.message)) return undefined;
  if (TOO_MANY_PATCHES.test(said.message)) return imageRejected(said.message, options, SCALE_DOWN);
  return IMAGE_CODE.test(said.code) || IMAGE_MESSAGE.test(said.message)
    ? imageRejected(said.message, options)
    : undefined;
}

function filtered(
  source: FilteredCategory['source'],
  categories: FilteredCategory[],
  options: UpstreamOptions,
): Problem {
  const what = source === 'answer' ? 'the answer after its first words' : 'the image or the instructions';
  return new Problem(
    'content_filtered',
    `The content filter stopped ${what}. Change the image or the instructions, or the deployment's filter.`,
    { ...options, members: { ...options.members, categories } },
  );
}

function imageRejected(message: string, options: UpstreamOptions, advice?: string): Problem {
  const detail = `The model could not use the image: ${message}`;
  return new Problem('image_rejected', advice ? `${detail} ${advice}` : detail, options);
}

function badRequest(said: UpstreamError, { isCallersOwn }: Asked, options: UpstreamOptions): Problem {
  const { code, param, message } = said;
  if (API_VERSION.test(message) || /api.?version/i.test(code)) return apiVersion(400, options);
  if (CANNOT_CHAT.test(code)) return deploymentNotFound(400, options);
  if (isCallersOwn && said.body !== 'page' && said.body !== 'none' && message) {
    return new Problem('invalid_request', message, {
      ...options,
      members: { ...options.members, param, ...(code ? { code } : {}), errors: [{ field: param ?? 'body', message }] },
    });
  }
  if (param === 'service_tier' || SERVICE_TIER.test(message)) return withoutTier(options);
  const fault = `The model's service called the request invalid${code ? ` (${code})` : ''}`;
  const advice = CANNOT_SEE.test(message)
    ? "the deployment's model cannot see images. Deploy one that can see images (npm run models lists them)"
    : code === 'context_length_exceeded'
      ? 'it is longer than the model can read. Send fewer or smaller images, or shorter instructions'
      : "check that the deployment's model can see images and supports the options sent";
  return new Problem('upstream_error', `${fault}: ${advice}.`, options);
}

/** Only some models support flex: https://learn.microsoft.com/azure/ai-foundry/openai/how-to/flex-processing */
function withoutTier(options: UpstreamOptions): Problem {
  const message =
    "must be standard: the deployment's model does not support flex. " +
    'Use tier standard, or deploy a model that supports flex, such as gpt-5.6-luna';
  return new Problem('invalid_request', `tier ${message}.`, {
    ...options,
    members: { ...options.members, errors: [{ field: 'tier', message }] },
  });
}

function apiVersion(status: number, options: UpstreamOptions): Problem {
  return new Problem(
    'upstream_error',
    `The model's service does not support this API version (${status}). ` +
      "Set OPENAI_API_VERSION to a version that the deployment's model supports, or to v1.",
    options,
  );
}

function deploymentNotFound(status: number, options: UpstreamOptions): Problem {
  return new Problem(
    'deployment_not_found',
    `There is no such deployment at the endpoint (${status}). ` +
      "Check AZURE_OPENAI_DEPLOYMENT (the deployment's name, not the model's) and OPENAI_API_VERSION. " +
      'A new deployment takes up to 5 minutes to become available. A deployment of a retired model no longer works.',
    options,
  );
}

function rateLimited(options: UpstreamOptions): Problem {
  return new Problem(
    'rate_limited',
    'The deployment has reached its limit of requests or tokens. Wait as Retry-After says, or raise its capacity.',
    options,
  );
}

/** Statuses with a special meaning: what happened, as the rest of a sentence about the service, and what to do. */
const MEANINGS: Readonly<Record<number, string>> = {
  402: 'requires payment: a budget or a subscription is used up. Ask the owner of the resource or its gateway',
  408: 'did not get the request in time. Try again',
  409: 'is busy, because the resource or the deployment is being changed. Try again in a minute',
  413: 'or a gateway in front of it does not accept a request of this size. Send fewer or smaller images',
  415: 'does not accept JSON, so something else answered. Check that AZURE_OPENAI_ENDPOINT is the resource itself',
  422: 'could not process the request. Check the request, and that the deployment supports its options',
  424: 'depends on another service, which failed. Try again in a while',
  431:
    'or a gateway in front of it does not accept headers of this size. Send less, or use an identity ' +
    'in fewer groups',
  451:
    'may not answer for legal reasons in this country or network. Ask the owner of the gateway, or ' +
    'use another region',
  499: 'did not answer before a proxy on the way closed the connection. Look at the log of that proxy',
  503: 'is overloaded. Wait as Retry-After says, or try again in a while',
};

function sentence(status: number, { attempts }: Asked): string {
  if (status < 400) {
    return (
      `The model's service answered with a redirect (${status}), which is not followed, to protect the token. ` +
      'Check AZURE_OPENAI_ENDPOINT: a sign-in page or a gateway answers at that address.'
    );
  }
  const often = attempts > 1 ? `, on each of ${attempts} attempts` : '';
  const meaning = MEANINGS[status];
  if (meaning) return `The model's service (${status}${often}) ${meaning}.`;
  return `The model's service failed (${status}${often}). Try again in a while.`;
}

function optionsOf(error: APIError, { status, message }: UpstreamError): UpstreamOptions {
  const { headers } = error;
  const wait = headers && retryAfterMs(headers);
  const words = status === 429 || status === 403 || status === 503 ? retryAfterInWords(message) : undefined;
  const retryAfter = headers?.get('retry-after') ?? (wait === undefined ? words : Math.ceil(wait / 1000));
  return {
    cause: error,
    members: {
      ...(status === undefined ? {} : { upstreamStatus: status }),
      upstreamRequestId: upstreamRequestId(headers),
    },
    ...(retryAfter === undefined || retryAfter === null ? {} : { headers: { 'retry-after': String(retryAfter) } }),
  };
}

function brokenOff(cause: unknown, { endpoint }: CallerIdentity): Problem {
  const { code, reason, fix } = connectionFailure(cause);
  const proxy = proxyName(endpoint);
  return new Problem(
    'upstream_error',
    `The connection to the model${proxy ? ` through the proxy ${proxy}` : ''} failed${code ? ` (${code})` : ''}: ` +
      `${reason}. Next: ${fix}.`,
    { cause },
  );
}
