import * as fc from 'fast-check';
import { type Sent, WAYS } from '../e2e/faults/way.ts';
import { mutate, type Mutation, mutation } from './mutation.ts';

/** The instructions of every request, before it is mutated. */
export const FUZZED_INSTRUCTIONS = 'What is this picture of?';

/** One request to send: mutations either of its image or of the request itself. */
export interface Input {
  /** The index of the way of asking, and of the image to start from. */
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

/** Any input. Three of four mutate only the image, and one mutates the request. */
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

/** Makes the request that an input describes. */
export async function toRequest(
  { way, seed, image, request, headers }: Input,
  seeds: readonly Buffer[],
): Promise<Sent> {
  const question = {
    images: [mutate(seeds[seed] ?? Buffer.alloc(0), image, seeds)],
    fields: { instructions: FUZZED_INSTRUCTIONS },
  };
  const sent = await WAYS[way]?.put(question);
  if (!sent) throw new Error(`there is no way of asking with the index ${way}`);
  return {
    path: sent.path,
    headers: { ...sent.headers, ...headers },
    body: Buffer.from(mutate(sent.body, request, seeds)),
  };
}
