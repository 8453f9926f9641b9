import { Problem } from '../http/problem.ts';

/**
 * Adds to a problem which of several images it is about: `Image 3: …`.
 * @param index - counted from 0; callers see it counted from 1
 */
export function aboutImage(index: number, { code, detail, members, headers, cause }: Problem): Problem {
  return new Problem(code, `Image ${index + 1}: ${detail}`, {
    members: { ...members, image: index + 1 },
    headers,
    cause,
  });
}

/**
 * Runs work on one of `count` images. If there are several, a problem that it throws says which image it is about.
 * @param index - counted from 0
 */
export async function withImageIndex<T>(index: number, count: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Problem && count > 1 ? aboutImage(index, error) : error;
  }
}
