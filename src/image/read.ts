import type { HttpRequest } from '@azure/functions';
import type { Deadline } from '../http/deadline.ts';
import { readBody } from '../http/read-body.ts';
import type { Stopwatch } from '../http/stopwatch.ts';
import { Problem } from '../problem.ts';
import { checkImage } from './check.ts';
import type { Image } from './image.ts';

/** Limits of what is read, in bytes. */
export interface ReadLimits {
  readonly maxImageBytes: number;
  readonly maxBodyBytes: number;
}

/**
 * Reads the body as the bytes of one image and checks them.
 * @throws {Problem} one of those about the body or the image
 */
export async function readImage(from: { request: HttpRequest; deadline: Deadline; stopwatch: Stopwatch }, limits: ReadLimits): Promise<Image> {
  const { request, deadline, stopwatch } = from;
  return stopwatch.time('read', async () => checkImage(await readBody(request, bodyLimit(limits), deadline)));
}

function bodyLimit({ maxImageBytes, maxBodyBytes }: ReadLimits) {
  if (maxBodyBytes < maxImageBytes) return { bytes: maxBodyBytes, exceeded: () => tooLarge('body_too_large', 'body', maxBodyBytes) };
  return { bytes: maxImageBytes, exceeded: () => tooLarge('image_too_large', 'image', maxImageBytes) };
}

function tooLarge(code: 'body_too_large' | 'image_too_large', what: string, limit: number): Problem {
  return new Problem(code, `The ${what} has more than ${limit} bytes. Scale it down; the model does not see more detail than that.`, {
    members: { limit },
  });
}
