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
const whole = (choice: object): ModelFault => ({
  body: {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, finish_reason: 'stop', ...choice }],
  },
});

/** Once words have been sent, the status is spent, and the rest is told by an event. */
const behindTheStatus = (code: string): Expected => ({ status: 200, code, calls: 1 });
const answered: Expected = { status: 200, code: 'answer', calls: 1 };
const broken: Expected = { status: 502, code: 'upstream_error', calls: 1 };
/** OpenAI's format has words of its own for it, and a client of it knows them. */
const chatPassesItOn =
  (expected: Expected) =>
  ({ body }: Way): Expected =>
    body === 'chat' ? answered : expected;

interface Case extends Pick<Fault, 'happensTo' | 'ask' | 'expected'> {
  readonly fault: ModelFault;
}

const cases: Record<string, Case> = {
  'a connection that breaks inside the answer': {
    fault: { breakOff: 'mid-body' },
    expected: ({ stream }) => (stream ? behindTheStatus('upstream_error') : broken),
  },
  'words that take longer than there is time': {
    happensTo: onlyStreams,
    fault: { wordDelayMs: 2_000 },
    expected: behindTheStatus('upstream_timeout'),
  },
  'a filter that stops after some words, by an error': {
    happensTo: onlyStreams,
    fault: events(words('Some'), { error: { code: 'content_filter', message: 'x' } }),
    expected: behindTheStatus('content_filtered'),
  },
  'a failure after some words': {
    happensTo: onlyStreams,
    fault: events(words('Some'), { error: { code: 'server_error', message: 'x' } }),
    expected: behindTheStatus('upstream_error'),
  },
  'a failure in place of words': {
    happensTo: onlyStreams,
    fault: events({ error: { code: 'server_error', message: 'x' } }),
    expected: broken,
  },
  'a filter that stops before any word': {
    happensTo: onlyStreams,
    fault: events(words('', 'content_filter'), '[DONE]'),
    expected: chatPassesItOn(behindTheStatus('content_filtered')),
  },
  'an end without a reason': {
    happensTo: onlyStreams,
    fault: events(words('Some'), '[DONE]'),
    expected: behindTheStatus('upstream_error'),
  },
  'an end without even saying so': {
    happensTo: onlyStreams,
    fault: events(words('Some')),
    expected: behindTheStatus('upstream_error'),
  },
  'a chunk that is cut': {
    happensTo: onlyStreams,
    fault: events(words('Some'), '{"id":"c","cho'),
    expected: behindTheStatus('upstream_error'),
  },
  'a chunk that is none': {
    happensTo: onlyStreams,
    fault: events(words('Some'), '7'),
    expected: behindTheStatus('upstream_error'),
  },
  'a stream of nothing': { happensTo: onlyStreams, fault: { ...events(), body: '' }, expected: broken },
  'a stream that ends where it begins': { happensTo: onlyStreams, fault: events('[DONE]'), expected: broken },
  'an answer in one piece where a stream was asked for': {
    happensTo: onlyStreams,
    fault: whole({ message: { role: 'assistant', content: 'A boat.' } }),
    expected: answered,
  },
  'a stream where an answer in one piece was asked for': {
    happensTo: notStreams,
    fault: events(words('Some'), words('', 'stop'), '[DONE]'),
    expected: answered,
  },
  'an answer that the filter stopped whole': {
    happensTo: notStreams,
    fault: whole({
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
  'an answer to a schema, cut by its length': withSchema({
    happensTo: notStreams,
    fault: whole({ message: { role: 'assistant', content: '{"what":"a bo' }, finish_reason: 'length' }),
    expected: {
      status: 422,
      code: 'answer_incomplete',
      calls: 1,
      problem: { finishReason: 'length', answer: '{"what":"a bo' },
    },
  }),
  'a streamed answer to a schema, cut by its length': withSchema({
    happensTo: onlyStreams,
    fault: events(words('{"what":"a bo'), words('', 'length'), '[DONE]'),
    expected: behindTheStatus('answer_incomplete'),
  }),
  'an answer to a schema that does not satisfy it': withSchema({
    happensTo: notStreams,
    fault: whole({ message: { role: 'assistant', content: '{"who":"me"}' } }),
    expected: { status: 422, code: 'answer_incomplete', calls: 1, problem: { finishReason: 'stop' } },
  }),
};

/** What goes wrong with an answer that came, or had begun to. */
export const midAnswerFaults: readonly Fault[] = Object.entries(cases).map(([name, { fault, ...rest }]) =>
  Object.assign(rest, { name, before: ({ azure }: Scene) => azure.model.fail(fault, Infinity) }),
);

/** A schema travels in a form or in JSON only. */
function withSchema(it: Case): Case {
  return {
    ...it,
    happensTo: (way) => (way.body === 'multipart' || way.body === 'JSON') && it.happensTo?.(way) !== false,
    ask: ({ images, fields }) => ({ images, fields: { ...fields, schema } }),
  };
}
