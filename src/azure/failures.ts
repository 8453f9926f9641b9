import { APIConnectionTimeoutError, APIError } from 'openai';
import { Problem } from '../http/problem.ts';
import { accessDenied, type CallerIdentity, isWrongTenant, type UpstreamOptions } from './access-denied.ts';
import { filteredCategories } from './content-filter.ts';
import { retryAfterMs } from './retry.ts';

/** Codes and words by which the service says that the image itself is at fault. */
const IMAGE_CODE = /^invalid_image|^image_parse_error$/;
const IMAGE_MESSAGE = /invalid image|image data|could not process image|unsupported image/i;

/** What the model's side did wrong, as a problem that says who can mend it. Text from there is passed on only about an image. */
export function upstreamFailure(error: unknown, identity: CallerIdentity): Problem {
  const own = causes(error).find((cause) => cause instanceof Problem);
  if (own) return own; // from the token source, wrapped by the SDK
  if (error instanceof APIConnectionTimeoutError) return timedOut(error);
  if (!(error instanceof APIError)) return brokenOff(error);
  if (error.status !== undefined) return refusal(error, identity);
  // An error that came as an event of a stream has no status, but a body.
  return error.error === undefined ? brokenOff(error) : badRequest(error, optionsOf(error));
}

/** The deadline passed while the model was working. */
export function timedOut(cause?: unknown): Problem {
  return new Problem(
    'upstream_timeout',
    'The model did not answer in time. Try again, ask for less, or raise REQUEST_TIMEOUT_SECONDS.',
    { cause },
  );
}

/** The model answered with a 200 that is no chat completion: something else stands at that address. */
export function notACompletion(): Problem {
  return new Problem(
    'upstream_error',
    'What answered is not a chat completion. Check that AZURE_OPENAI_ENDPOINT is the model and not a page in front of it.',
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

function refusal(error: APIError, identity: CallerIdentity): Problem {
  const { status } = error;
  const options = optionsOf(error);
  if (isWrongTenant(error)) return accessDenied(error, identity, options);
  switch (status) {
    case 400:
      return badRequest(error, options);
    case 401:
    case 403:
      return accessDenied(error, identity, options);
    case 404:
    case 410:
      return new Problem(
        'deployment_not_found',
        `There is no such deployment at the endpoint (${status}). Check AZURE_OPENAI_DEPLOYMENT (the deployment's name, not the model's) ` +
          'and OPENAI_API_VERSION. A deployment needs up to 5 minutes after it was made, and one of a retired model is gone.',
        options,
      );
    case 429:
      return rateLimited(error, options);
    default:
      return new Problem(
        'upstream_error',
        `The model's service failed (${status}) and did so on every attempt. Try again in a while.`,
        options,
      );
  }
}

function optionsOf(error: APIError): UpstreamOptions {
  const { status, headers } = error;
  return {
    cause: error,
    members: {
      ...(status === undefined ? {} : { upstreamStatus: status }),
      upstreamRequestId: upstreamRequestId(headers),
    },
  };
}

function badRequest(error: APIError, options: UpstreamOptions): Problem {
  const { code, message } = bodyOf(error);
  const categories = filteredCategories(error.error, 'prompt');
  if (code === 'content_filter' || categories.length > 0) {
    return new Problem(
      'content_filtered',
      'The content filter stopped the image or the instructions. Change them, or the filter of the deployment.',
      {
        ...options,
        members: { ...options.members, categories },
      },
    );
  }
  if (IMAGE_CODE.test(code) || IMAGE_MESSAGE.test(message)) {
    return new Problem('image_rejected', `The model could not use the image: ${message}`, options);
  }
  return new Problem(
    'upstream_error',
    `The model's service called the request invalid${code ? ` (${code})` : ''}. Check that the deployment's model can see images and knows the options sent.`,
    options,
  );
}

function rateLimited(error: APIError, options: UpstreamOptions): Problem {
  const wait = error.headers && retryAfterMs(error.headers);
  const asked = error.headers?.get('retry-after') ?? (wait === undefined ? undefined : String(Math.ceil(wait / 1000)));
  return new Problem(
    'rate_limited',
    'The deployment is at its limit of requests or tokens. Wait as Retry-After says, or raise its capacity.',
    {
      ...options,
      ...(asked === undefined ? {} : { headers: { 'retry-after': asked } }),
    },
  );
}

/** Azure nests code and message under `error`; a gateway in front of it may put them at the top, which the SDK drops. */
function bodyOf(error: APIError): { code: string; message: string } {
  const body: unknown = error.error;
  const message = body instanceof Object && 'message' in body && typeof body.message === 'string' ? body.message : '';
  return { code: error.code ?? '', message };
}

function brokenOff(cause: unknown): Problem {
  const code = causes(cause)
    .map((each) => (each instanceof Error && 'code' in each ? String(each.code) : ''))
    .find((each) => /^E[A-Z_]+$/.test(each));
  const hint = code === 'ENOTFOUND' ? ' Its name does not resolve: check AZURE_OPENAI_ENDPOINT.' : '';
  return new Problem(
    'upstream_error',
    `The connection to the model failed${code ? ` (${code})` : ''}.${hint} Try again.`,
    { cause },
  );
}

/** An error and what caused it, outermost first. */
function causes(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let each = error; each !== undefined && chain.length < 10; each = each instanceof Error ? each.cause : undefined)
    chain.push(each);
  return chain;
}
