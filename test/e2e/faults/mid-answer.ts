import type { Fault as ModelFault } from '../../../src/dev/emulator/fault.ts';
import type { Expected, Fault, Scene } from './fault.ts';
import type { Way } from './way.ts';

const filtered = { filtered: true, severity: 'high' };
const schema = {
  type: 'object',
  properties: { what: { type: 'string' } },
  required: ['what'],
  additionalProperties: false,
};

const onlyStreams = ({ stream }: Way): boolean => stream;
const notStreams = ({ stream }: Way): boolean => !stream;
const events = (...data: (object | string)[]): ModelFault => ({
  headers: { 'content-type': 'text/event-stream' },
  body: data.map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`).join(''),
});
const words = (content: string, finish: string | null = null): object => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
});
const completion = (choice: object): ModelFault => ({
  body: {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, finish_reason: 'stop', ...choice }],
  },
});

/** After the first words, the status cannot change any more, so that a problem is sent as an event. */
const asEvent = (code: string): Expected => ({ status: 200, code, calls: 1 });
const answered: Expected = { status: 200, code: 'answer', calls: 1 };
const upstreamError: Expected = { status: 502, code: 'upstream_error', calls: 1 };
/** OpenAI's format can express this itself, and its clients understand it. */
const chatPassesItOn =
  (expected: Expected) =>
  ({ body }: Way): Expected =>
    body === 'chat' ? answered : expected;

interface Case extends Pick<Fault, 'happensTo' | 'ask' | 'expected'> {
  readonly fault: ModelFault;
}

const cases: Record<string, Case> = {
  'the connection breaks during the answer': {
    fault: { breakOff: 'mid-body' },
    expected: ({ stream }) => (stream ? asEvent('upstream_error') : upstreamError),
  },
  'the words take longer than the deadline': {
    happensTo: onlyStreams,
    fault: { wordDelayMs: 2_000 },
    expected: asEvent('upstream_timeout'),
  },
  'a content filter error after some words': {
    happensTo: onlyStreams,
    fault: events(words('Some'), { error: { code: 'content_filter', message: 'x' } }),
    expected: asEvent('content_filtered'),
  },
  'an error after some words': {
    happensTo: onlyStreams,
    fault: events(words('Some'), { error: { code: 'server_error', message: 'x' } }),
    expected: asEvent('upstream_error'),
  },
  'an error instead of words': {
    happensTo: onlyStreams,
    fault: events({ error: { code: 'server_error', message: 'x' } }),
    expected: upstreamError,
  },
  'content filter before the first word': {
    happensTo: onlyStreams,
    fault: events(words('', 'content_filter'), '[DONE]'),
    expected: chatPassesItOn(asEvent('content_filtered')),
  },
  '[DONE] without a finish reason': {
    happensTo: onlyStreams,
    fault: events(words('Some'), '[DONE]'),
    expected: asEvent('upstream_error'),
  },
  'no finish reason and no [DONE]': {
    happensTo: onlyStreams,
    fault: events(words('Some')),
    expected: asEvent('upstream_error'),
  },
  'a truncated chunk': {
    happensTo: onlyStreams,
    fault: events(words('Some'), '{"id":"c","cho'),
    expected: asEvent('upstream_error'),
  },
  'a chunk that is not an object': {
    happensTo: onlyStreams,
    fault: events(words('Some'), '7'),
    expected: asEvent('upstream_error'),
  },
  'an empty stream': { happensTo: onlyStreams, fault: { ...events(), body: '' }, expected: upstreamError },
  'a stream with nothing but [DONE]': { happensTo: onlyStreams, fault: events('[DONE]'), expected: upstreamError },
  'JSON instead of a stream': {
    happensTo: onlyStreams,
    fault: completion({ message: { role: 'assistant', content: 'A boat.' } }),
    expected: answered,
  },
  'a stream instead of JSON': {
    happensTo: notStreams,
    fault: events(words('Some'), words('', 'stop'), '[DONE]'),
    expected: answered,
  },
  'content filter for the whole answer': {
    happensTo: notStreams,
    fault: completion({
      message: { role: 'assistant', content: null },
      finish_reason: 'content_filter',
      content_filter_results: { sexual: filtered },
    }),
    expected: chatPassesItOn({
      status: 422,
      code: 'content_filtered',
      calls: 1,
      problem: { categories: [{ category: 'sexual', severity: 'high', source: 'answer' }] },
    }),
  },
  'a schema, cut off at the token limit': withSchema({
    happensTo: notStreams,
    fault: completion({ message: { role: 'assistant', content: '{"what":"a bo' }, finish_reason: 'length' }),
    expected: {
      status: 422,
      code: 'answer_incomplete',
      calls: 1,
      problem: { finishReason: 'length', answer: '{"what":"a bo' },
    },
  }),
  'a schema, cut off, as a stream': withSchema({
    happensTo: onlyStreams,
    fault: events(words('{"what":"a bo'), words('', 'length'), '[DONE]'),
    expected: asEvent('answer_incomplete'),
  }),
  'an answer that violates the schema': withSchema({
    happensTo: notStreams,
    fault: completion({ message: { role: 'assistant', content: '{"who":"me"}' } }),
    expected: { status: 422, code: 'answer_incomplete', calls: 1, problem: { finishReason: 'stop' } },
  }),
};

/** Faults of an answer that has come, or has begun to come. */
export const midAnswerFaults: readonly Fault[] = Object.entries(cases).map(([name, { fault, ...rest }]) =>
  Object.assign(rest, { name, before: ({ azure }: Scene) => azure.model.fail(fault, Infinity) }),
);

/** The case for a question with a schema, which only forms and JSON have. */
function withSchema(base: Case): Case {
  return {
    ...base,
    happensTo: (way) => (way.body === 'multipart' || way.body === 'JSON') && base.happensTo?.(way) !== false,
    ask: ({ images, fields }) => ({ images, fields: { ...fields, schema } }),
  };
}
