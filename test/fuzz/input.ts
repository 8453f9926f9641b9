import * as fc from 'fast-check';
import { type Sent, WAYS } from '../e2e/faults/way.ts';
import { mutate, type Mutation, mutation } from './mutation.ts';

/** What is asked, unless something is done to that too. */
export const FUZZED_INSTRUCTIONS = 'What is this picture of?';

/** What a front door is given: an image with something done to it, and perhaps something done to the request around it. */
export interface Input {
  /** Which way of asking, and which of the images to begin with; by their numbers. */
  readonly way: number;
  readonly seed: number;
  readonly image: readonly Mutation[];
  readonly request: readonly Mutation[];
  readonly headers: Readonly<Record<string, string>>;
}

const contentType = fc.constantFrom(
  'image/png',
  'application/json',
  'application/json; charset=utf-16',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  `multipart/form-data; boundary=${'x'.repeat(300)}`,
  'multipart/form-data; boundary="a b"',
  'text/plain;;;=',
  '/',
);
const accept = fc.constantFrom(
  '*/*',
  'text/*;q=0',
  'application/json;q=2',
  ',,;',
  'text/event-stream, */*;q=0.1',
  'image/png',
);

/** Anything; three of four have a request as it should be. */
export function input(seeds: number): fc.Arbitrary<Input> {
  const shared = { way: fc.nat(WAYS.length - 1), seed: fc.nat(seeds - 1) };
  const image = fc.array(mutation, { minLength: 1, maxLength: 5 });
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ ...shared, image, request: fc.constant([]), headers: fc.constant({}) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        ...shared,
        image: fc.constant([]),
        request: fc.array(mutation, { minLength: 1, maxLength: 3 }),
        headers: fc.record({ 'content-type': contentType, accept }, { requiredKeys: [] }),
      }),
    },
  );
}

/** The request that an input stands for. */
export async function toRequest(
  { way, seed, image, request, headers }: Input,
  seeds: readonly Buffer[],
): Promise<Sent> {
  const question = {
    images: [mutate(seeds[seed] ?? Buffer.alloc(0), image, seeds)],
    fields: { instructions: FUZZED_INSTRUCTIONS },
  };
  const sent = await WAYS[way]?.put(question);
  if (!sent) throw new Error(`there is no way ${way}`);
  return {
    path: sent.path,
    headers: { ...sent.headers, ...headers },
    body: Buffer.from(mutate(sent.body, request, seeds)),
  };
}
