import { Problem } from '../http/problem.ts';

/** The same problem, saying which of several images it is about: `Image 3: …`, counted as people count. */
export function aboutImage(index: number, { code, detail, members, headers, cause }: Problem): Problem {
  return new Problem(code, `Image ${index + 1}: ${detail}`, {
    members: { ...members, image: index + 1 },
    headers,
    cause,
  });
}

/** Does something with one of so many images, and says which of them it was when that goes wrong. */
export async function withImageIndex<T>(index: number, count: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Problem && count > 1 ? aboutImage(index, error) : error;
  }
}
