import type { HttpRequest } from '@azure/functions';
import { bodyChunks, type BodyLimit, type Incoming, readBody } from './read-body.ts';
import { Problem } from '../http/problem.ts';
import { imageTooLarge } from '../image/faults.ts';
import { type Form, readJsonForm } from './json-form.ts';

/** Limits of what is read. */
export interface FormLimits {
  readonly maxImages: number;
  /** Bytes of one image. */
  readonly maxImageBytes: number;
  /** Bytes of the whole body. */
  readonly maxBodyBytes: number;
}

/** Whether the body is an image and nothing else, so that all the rest of the request stands in its query. */
export function isRawImage(request: HttpRequest): boolean {
  return formKind(request) === 'raw';
}

/**
 * Reads the body, whichever of its three kinds it is.
 * @throws {Problem} one of those about the body, or about the number and size of its images
 */
export async function readForm(incoming: Incoming, limits: FormLimits): Promise<Form> {
  const form = await readAny(incoming, limits);
  incoming.reservation.keep(form.images);
  return form;
}

async function readAny(incoming: Incoming, limits: FormLimits): Promise<Form> {
  const { maxBodyBytes, maxImageBytes } = limits;
  const wholeBody = { bytes: maxBodyBytes, exceeded: () => bodyTooLarge(maxBodyBytes) };
  switch (formKind(incoming.request)) {
    case 'multipart': {
      const { readMultipart } = await import('./multipart.ts');
      return readMultipart(bodyChunks(incoming, wholeBody), incoming.request.headers.get('content-type') ?? '', limits);
    }
    case 'json': {
      const body = await readBody(incoming, wholeBody);
      incoming.reservation.grow(body.length); // its images are decoded beside it
      const form = await readJsonForm(body, limits);
      incoming.reservation.release(body);
      return form;
    }
    case 'raw': {
      const oneImage: BodyLimit = { bytes: maxImageBytes, exceeded: () => imageTooLarge(maxImageBytes) };
      const image = await readBody(incoming, maxBodyBytes < maxImageBytes ? wholeBody : oneImage);
      return { fields: {}, images: image.length > 0 ? [image] : [] };
    }
  }
}

function formKind({ headers }: HttpRequest): 'raw' | 'multipart' | 'json' {
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'multipart/form-data') return 'multipart';
  return type === 'application/json' ? 'json' : 'raw';
}

/** The body as a whole is over the limit, in bytes. */
export function bodyTooLarge(limit: number): Problem {
  return new Problem(
    'body_too_large',
    `The body has more than ${limit} bytes. Send fewer images, or scale them down.`,
    { members: { limit } },
  );
}
