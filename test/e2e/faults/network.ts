import { stillOfSize } from '../../images/still.ts';
import type { Expected, Fault } from './fault.ts';
import { INFLIGHT_BYTES } from './pairs.ts';
import { besideAnother } from './send.ts';

const broken: Expected = { status: 502, code: 'upstream_error', calls: 0 };
/** More than half of the limit for all requests together. */
const large = await stillOfSize('image/jpeg', INFLIGHT_BYTES * 0.6);

/** Faults between the app and Azure, and of a process that is busy with another request. */
export const networkFaults: readonly Fault[] = [
  { name: 'the model drops every connection', before: ({ relay }) => relay.spoil('dropped'), expected: broken },
  {
    name: 'the model does not speak HTTP',
    before: ({ relay }) => relay.spoil('babble'),
    expected: broken,
  },
  {
    name: 'the model accepts, but never responds',
    before: ({ relay }) => relay.spoil('mute'),
    expected: { status: 504, code: 'upstream_timeout', calls: 0 },
  },
  {
    name: 'another large request is in progress',
    ask: ({ fields }) => ({ fields, images: [large] }),
    send: besideAnother(large),
    expected: { status: 503, code: 'overloaded', calls: 1, headers: { 'retry-after': '1' } },
  },
];
