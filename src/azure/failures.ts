import { APIConnectionTimeoutError, APIError } from 'openai';
import { Problem } from '../http/problem.ts';
import { accessDenied, type CallerIdentity, isWrongTenant, type UpstreamOptions } from './access-denied.ts';
import { causes, connectionFailure } from './connection-failure.ts';
import { type FilteredCategory, filteredCategories, isPolicyRefusal } from './content-filter.ts';
import { proxyName } from './proxy.ts';
import { retryAfterInWords, retryAfterMs } from './retry.ts';
import { readUpstreamError, type UpstreamError } from './upstream-error.ts';

/** Codes and words by which the service says that an image is at fault. */
const IMAGE_CODE = /image/i;
const IMAGE_MESSAGE =
  /image data|valid image|\bimages?\b.{0,60}\b(?:invalid|corrupt|unsupported|exceeds?|exceeding|too (?:small|large|big|many)|not (?:a )?(?:valid|supported|readable)|requires)|\b(?:invalid|corrupt|unsupported|bad|could not|cannot|failed to|unable to|exceed\w*)\b.{0,40}\bimages?\b/is;
const TOO_MANY_PATCHES = /requires \d+ patches/i;
/** The option has this name on every route: https://platform.openai.com/docs/guides/images-vision#specify-image-input-detail-level */
const SCALE_DOWN = 'Ask with detail "high", by which the service scales the image down first, or send a smaller image.';
const API_VERSION = /\bapi[- ]?versions?\b/i;
/** The deployment is of a model that cannot do what was asked. */
const CANNOT_SEE =
  /image_url is only supported|support(?:s|ed)? (?:for )?image input|does not support (?:image|vision)|image (?:input|content)s? (?:is|are) not supported/i;
const CANNOT_CHAT = /^OperationNotSupported$|^model_not_found$|^DeploymentNotFound$/i;
const SERVICE_TIER = /service_tier/i;
const QUOTA = /quota|rate limit|too many requests|call volume/i;

/** What was asked, and how far it came. */
export interface Asked {
  readonly identity: CallerIdentity;
  /** Whether the caller wrote the request's parameters, and can mend them. */
  readonly isCallersOwn: boolean;
  /** Requests made, retries included. */
  readonly attempts: number;
  /** Whether words of the answer have come. */
  readonly answerBegun: boolean;
}

/**
 * What the model's side did wrong, as a problem that says who can mend it. Its own words are passed on only if they are
 * about an image, or about parameters that the caller wrote.
 */
export function upstreamFailure(error: unknown, asked: Asked): Problem {
  const own = causes(error).find((cause) => cause instanceof Problem);
  if (own) return own; // from the token source, wrapped by the SDK
  if (error instanceof APIConnectionTimeoutError) return timedOut(error);
  // An error that came as an event of a stream has no status, but a body.
  if (error instanceof APIError && (error.status !== undefined || error.error !== undefined))
    return refusal(error, asked);
  return brokenOff(error, asked.identity);
}

/** The deadline passed while the model was working. */
export function timedOut(cause?: unknown, members = {}): Problem {
  return new Problem(
    'upstream_timeout',
    'The model did not answer in time. Try again, ask for less, or raise REQUEST_TIMEOUT_SECONDS.',
    { cause, members },
  );
}

/** The model answered with a 200 that is no chat completion: something else stands at that address. */
export function notACompletion(response?: Response): Problem {
  const encoding = response?.headers.get('content-encoding');
  const [type] = /^[\w.+-]+\/[\w.+-]+/.exec(response?.headers.get('content-type') ?? '') ?? [];
  const what = encoding ? ' (it is compressed in a way that this app does not know)' : type ? ` (${type})` : '';
  return new Problem(
    'upstream_error',
    `What answered is not a chat completion${what}. Check that AZURE_OPENAI_ENDPOINT is the model and not a page in front of it.`,
  );
}

/** The model's stream ended without having said why. */
export function endedEarly(): Problem {
  return new Problem('upstream_error', 'The model broke off before its answer was complete. Try again.');
}

/** Azure's id of a request, which its support asks for. */
export function upstreamRequestId(headers: Headers | undefined): string | null {
  return headers?.get('apim-request-id') ?? headers?.get('x-request-id') ?? null;
}

function refusal(error: APIError, asked: Asked): Problem {
  const said = readUpstreamError(error);
  const options = optionsOf(error, said);
  if (isWrongTenant(said)) return accessDenied(said, asked.identity, options);
  const about = aboutContent(error, said, asked, options);
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

/** A refusal of what was sent or of what was answered, whatever its status. */
function aboutContent(
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
    `The content filter stopped ${what}. Change the image or the instructions, or the filter of the deployment.`,
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
      : "check that the deployment's model can see images and knows the options sent";
  return new Problem('upstream_error', `${fault}: ${advice}.`, options);
}

/** https://learn.microsoft.com/azure/ai-foundry/openai/how-to/flex-processing: few models know flex. */
function withoutTier(options: UpstreamOptions): Problem {
  const message =
    "must be standard: the deployment's model does not take flex. Ask with tier standard, or deploy a model that takes flex, such as gpt-5.6-luna";
  return new Problem('invalid_request', `tier ${message}.`, {
    ...options,
    members: { ...options.members, errors: [{ field: 'tier', message }] },
  });
}

function apiVersion(status: number, options: UpstreamOptions): Problem {
  return new Problem(
    'upstream_error',
    `The model's service does not take this API version (${status}). Set OPENAI_API_VERSION to one that the deployment's model is made for, or to v1.`,
    options,
  );
}

function deploymentNotFound(status: number, options: UpstreamOptions): Problem {
  return new Problem(
    'deployment_not_found',
    `There is no such deployment at the endpoint (${status}). Check AZURE_OPENAI_DEPLOYMENT (the deployment's name, not the model's) ` +
      'and OPENAI_API_VERSION. A deployment needs up to 5 minutes after it was made, and one of a retired model is gone.',
    options,
  );
}

function rateLimited(options: UpstreamOptions): Problem {
  return new Problem(
    'rate_limited',
    'The deployment is at its limit of requests or tokens. Wait as Retry-After says, or raise its capacity.',
    options,
  );
}

/** Statuses that have a meaning of their own: what it is, and what to do. */
const MEANINGS: Readonly<Record<number, string>> = {
  402: 'asks for payment: a budget or a subscription is used up. Ask who pays for the resource or its gateway',
  408: 'waited too long for the request. Try again',
  409: 'is busy with a change of the resource or the deployment. Try again in a minute',
  413: 'or a gateway in front of it does not take a request of this size. Send fewer or smaller images',
  415: 'does not take JSON, so it is something else. Check that AZURE_OPENAI_ENDPOINT is the resource itself',
  422: 'understood the request but could not work on it. Check the request, and that the deployment knows its options',
  424: 'depends on another service, which failed. Try again in a while',
  431: 'or a gateway in front of it does not take headers of this size. Send less, or use an identity in fewer groups',
  451: 'must not answer for legal reasons, by its country or its network. Ask who runs the gateway, or use another region',
  499: 'was left by a proxy on the way, which closed the connection before the answer. Look into the log of that proxy',
  503: 'is overloaded. Wait as Retry-After says, or try again in a while',
};

function sentence(status: number, { attempts }: Asked): string {
  if (status < 400) {
    return `The model's service answered with a redirect (${status}), which is not followed so that the token stays where it belongs. Check AZURE_OPENAI_ENDPOINT: a sign-in page or a gateway stands at that address.`;
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
    `The connection to the model${proxy ? ` through the proxy ${proxy}` : ''} failed${code ? ` (${code})` : ''}: ${reason}. Next: ${fix}.`,
    { cause },
  );
}
