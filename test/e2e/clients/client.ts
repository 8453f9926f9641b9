/** How clients reach the app. */
export interface Caller {
  /** The URL of the app's `/api`. */
  readonly base: string;
  /** The headers with the function key. */
  readonly headers: Record<string, string>;
}

/** A client package, used as its documentation says: with its defaults and the address of the app. */
export interface Client {
  readonly name: string;
  /** Its name in the table of src/routes/README.md. */
  readonly row: string;
  /** What its base URL has after the app's `/api`. */
  readonly path: string;
  /** Asks about an image, given as a data URL. */
  readonly ask: (question: string, image: string, signal?: AbortSignal) => Promise<string>;
  /** Asks for a stream, and returns its words. */
  readonly stream: (question: string, image: string) => Promise<readonly string[]>;
  /** Asks for an object that satisfies {@link BOAT}. */
  readonly structured: (question: string, image: string) => Promise<unknown>;
  /** Asks with the tool {@link WEATHER}, and returns the arguments that it is called with. */
  readonly tool: (question: string) => Promise<unknown>;
}

/** The JSON Schema for structured answers. */
export const BOAT = {
  type: 'object',
  properties: { name: { type: 'string' }, sails: { type: 'integer', minimum: 2 } },
  required: ['name', 'sails'],
  additionalProperties: false,
} as const;

/** A tool that the caller offers. The emulated model calls it if the question names it. */
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

/** Reads a whole stream, and returns its words. */
export async function collect<T>(stream: AsyncIterable<T>, wordOf: (event: T) => string | null | undefined) {
  const words: string[] = [];
  for await (const event of stream) words.push(wordOf(event) ?? '');
  return words.filter(Boolean);
}
