import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault as EndpointFault } from '../../../src/dev/emulator/fault.ts';
import type { Expected, Fault } from './fault.ts';

const noIdentity: Expected = { status: 503, code: 'identity_unavailable', calls: 0 };
const denied: Expected = { status: 502, code: 'model_access_denied', calls: 1 };
const answered: Expected = { status: 200, code: 'answer', calls: 1 };
const token = (value: unknown, secondsLeft: number): EndpointFault => ({
  body: {
    access_token: value,
    expires_on: String(Math.floor(Date.now() / 1000) + secondsLeft),
    resource: 'https://cognitiveservices.azure.com',
    token_type: 'Bearer',
  },
});

const endpoint: Record<string, EndpointFault> = {
  '400': { status: 400 },
  '401': { status: 401 },
  '403': { status: 403 },
  'an HTML page': { headers: { 'content-type': 'text/html' }, body: '<h1>Hello</h1>' },
  'JSON without a token': { body: {} },
  'a token that has expired': token('words-of-upstream', -60),
};

/** The library retries with longer and longer pauses, and a request during a pause waits until it ends. */
const afterRetries = { recoversWithinMs: 15_000 };

/** How long the app's tokens are valid here. It is short, because the library reuses a token until its last second. */
export const TOKEN_SECONDS = 2;

const faults: readonly Fault[] = [
  ...Object.entries(endpoint).map(([name, fault]): Fault => ({
    name: `no token: ${name}`,
    before: ({ azure }) => azure.identity.fail(fault, Infinity),
    expected: noIdentity,
  })),
  {
    name: 'no token: 500 every time',
    before: ({ azure }) => azure.identity.fail({ status: 500 }, Infinity),
    expected: noIdentity,
    ...afterRetries,
  },
  {
    name: 'no token: connections are dropped',
    before: ({ relay }) => relay.spoil('dropped'),
    expected: noIdentity,
    ...afterRetries,
  },
  { name: 'no token: no response', before: ({ relay }) => relay.spoil('mute'), expected: noIdentity, ...afterRetries },
  { name: 'the identity has no role', before: ({ azure }) => azure.setRole(false), expected: denied },
  {
    name: '500 once from the identity endpoint',
    before: ({ azure }) => azure.identity.fail({ status: 500 }),
    expected: answered,
  },
  {
    name: 'a token that takes 200 ms',
    before: ({ azure }) => azure.identity.fail({ delayMs: 200 }),
    expected: answered,
  },
];

/** Faults of the source of tokens. Each starts after the app's last token has expired, so it needs a new one. */
export const identityFaults: readonly Fault[] = faults.map(afterTokenExpires);

function afterTokenExpires(fault: Fault): Fault {
  return {
    ...fault,
    async before(scene) {
      await sleep(TOKEN_SECONDS * 1000 + 100);
      await fault.before?.(scene);
    },
  };
}
