/** Who calls the app. */
export interface Caller {
  /** The app's `/api`. */
  readonly base: string;
  /** They hold the function key. */
  readonly headers: Record<string, string>;
}

/** A client package, used as its documentation says: with its defaults, and an address of the app. */
export interface Client {
  readonly name: string;
  /** Its name in the table of src/routes/README.md. */
  readonly row: string;
  /** What its address has behind the app's `/api`. */
  readonly path: string;
  /** Asks about an image, which is a data URL. */
  readonly ask: (question: string, image: string, signal?: AbortSignal) => Promise<string>;
  /** The same as a stream of words. */
  readonly stream: (question: string, image: string) => Promise<readonly string[]>;
  /** Asks for an object that satisfies {@link BOAT}. */
  readonly structured: (question: string, image: string) => Promise<unknown>;
  /** Asks with the tool {@link WEATHER}, and returns what it was called with. */
  readonly tool: (question: string) => Promise<unknown>;
}

/** As a JSON Schema, which every client takes. */
export const BOAT = {
  type: 'object',
  properties: { name: { type: 'string' }, sails: { type: 'integer', minimum: 2 } },
  required: ['name', 'sails'],
  additionalProperties: false,
} as const;

/** A tool of the caller's. The emulated model calls it when the question names it. */
export const WEATHER = {
  name: 'get_weather',
  description: 'The weather in a place',
  parameters: {
    type: 'object',
    properties: { place: { type: 'string' } },
    required: ['place'],
    additionalProperties: false,
  },
  strict: true,
} as const;

/** All that a stream brings. */
export async function collect<T>(stream: AsyncIterable<T>, wordOf: (event: T) => string | null | undefined) {
  const words: string[] = [];
  for await (const event of stream) words.push(wordOf(event) ?? '');
  return words.filter(Boolean);
}
