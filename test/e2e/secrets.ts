import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { readEvents } from './events.ts';
import { leaksIn, type Secret } from './leaks.ts';

/** Of a large value, the log is searched only for so many bytes of its start, its middle and its end. */
const SAMPLE_BYTES = 4_096;
const SECRET_VARIABLE = /KEY|SECRET|PASSWORD|IDENTITY_HEADER/;
const DATA_URL = /^data:[a-z]+\/[a-z]+;base64,/;

/** All secrets that the tests of one file have sent to an app. */
const secrets = new Map<string, Secret>();
const watched = new Set<EmulatedAzure>();

/** Remembers a value that an app must not print. */
export function keepSecret(kind: Secret['kind'], value: Uint8Array | string): void {
  for (const sample of samples(Buffer.from(value)))
    secrets.set(`${kind} ${sample.toString('latin1')}`, { kind, value: sample });
}

/** Remembers the model's words in an answer, which is text, JSON or an event stream. */
export function keepAnswer(contentType: string, text: string): void {
  if (contentType.startsWith('text/plain')) keepSecret('words', text);
  else if (contentType.startsWith('application/json'))
    keepSecret('words', String((JSON.parse(text) as { answer?: unknown }).answer));
  else
    keepSecret(
      'words',
      readEvents(text)
        .flatMap(({ event, data }) => (event === 'delta' ? [String(data['text'])] : []))
        .join(''),
    );
}

/** Remembers the keys in an environment. */
export function keepKeys(env: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(env)) if (SECRET_VARIABLE.test(name)) keepSecret('key', value);
}

/** Remembers the content of all requests to an emulated Azure, also of future ones. */
export function keepAllThatReaches(azure: EmulatedAzure): EmulatedAzure {
  watched.add(azure);
  return {
    ...azure,
    reset() {
      keepRequestsTo(azure);
      azure.reset();
    },
  };
}

/**
 * Checks that an app has printed none of the secrets.
 * @throws {Error} naming the kinds of secrets that were printed, but not the secrets
 */
export function expectNoneIn(output: string): void {
  for (const azure of watched) keepRequestsTo(azure);
  // What the app prints before it listens contains an example on purpose.
  const leaks = leaksIn(output.slice(output.indexOf('listening on ')), secrets.values());
  if (leaks.length > 0) throw new Error(`The app printed secrets: ${leaks.join(', ')}.`);
}

function keepRequestsTo({ model }: EmulatedAzure): void {
  for (const { body } of model.requests) {
    const { messages = [], input = [] } = (body ?? {}) as Partial<Conversation>;
    if (typeof input === 'string') keepSecret('words', input);
    else for (const { content } of [...messages, ...input]) keepContent(content);
  }
}

/** The body of a request to chat completions or to Responses. */
interface Conversation {
  readonly messages: readonly { readonly content?: Content }[];
  readonly input: string | readonly { readonly content?: Content }[];
}
type Content = string | null | readonly Part[];

interface Part {
  readonly text?: string;
  readonly image_url?: string | { readonly url: string };
  readonly file_data?: string;
}

function keepContent(content: Content | undefined): void {
  if (typeof content === 'string') keepSecret('words', content);
  else if (Array.isArray(content)) for (const part of content) keepPart(part);
}

function keepPart({ text, image_url: image, file_data: file }: Part): void {
  if (text) keepSecret('words', text);
  const url = (typeof image === 'string' ? image : image?.url) ?? file ?? '';
  const base64 = url.slice(DATA_URL.exec(url)?.[0].length ?? 0);
  for (const sample of samples(Buffer.from(base64))) keepSecret('image', Buffer.from(sample.toString(), 'base64'));
}

/** Samples of a value, cut only at multiples of four bytes, so that base64 stays decodable. */
function samples(value: Buffer): Buffer[] {
  if (value.length <= 3 * SAMPLE_BYTES) return [value];
  const middle = value.length / 2 - ((value.length / 2) % 4);
  return [
    value.subarray(0, SAMPLE_BYTES),
    value.subarray(middle, middle + SAMPLE_BYTES),
    value.subarray(value.length - (value.length % 4) - SAMPLE_BYTES),
  ];
}
