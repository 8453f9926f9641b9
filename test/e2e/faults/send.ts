import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, checkedFetch } from '../ask.ts';
import type { Fault, Scene } from './fault.ts';
import { DEADLINE_MS } from './pairs.ts';
import { NO_ANSWER, type Outcome, outcomeOf } from './outcome.ts';
import type { Sent } from './way.ts';

/** The pause between two bytes of a slow body, and before a client disconnects. */
const MOMENT_MS = 150;

/** Sends a request all at once, and checks the response against openapi.json. */
export async function atOnce({ app }: Scene, { path, headers, body }: Sent): Promise<Outcome> {
  const response = await checkedFetch(app.url + path, { method: 'POST', headers, body });
  return outcomeOf(response.status, response.headers, await response.text());
}

/** Sends a request while the model works on another one, which has this image. */
export function besideAnother(image: Buffer): NonNullable<Fault['send']> {
  return async (scene, sent) => {
    scene.azure.model.fail({ delayMs: 1_000 });
    const another = ask(scene.app.url, image);
    while (scene.azure.model.requests.length === 0) await sleep(10);
    const outcome = await atOnce(scene, sent);
    if ((await another).status !== 200) throw new Error('the other request was not answered');
    return outcome;
  };
}

/** Sends the body without a Content-Length. */
export async function chunked(scene: Scene, sent: Sent): Promise<Outcome> {
  return byHand(scene, { ...sent, headers: { ...sent.headers, 'transfer-encoding': 'chunked' } }, (request) =>
    request.end(sent.body),
  );
}

/** Sends the body when the app has answered 100 Continue. */
export async function afterContinue(scene: Scene, sent: Sent): Promise<Outcome> {
  return byHand(scene, { ...sent, headers: { ...lengthOf(sent), expect: '100-continue' } }, (request) => {
    request.once('continue', () => request.end(sent.body));
    request.flushHeaders();
  });
}

/** Sends the last two bytes a moment later. In a form, they are the line break after the last boundary. */
export async function lastBytesLate(scene: Scene, sent: Sent): Promise<Outcome> {
  return byHand(scene, { ...sent, headers: lengthOf(sent) }, (request) => {
    request.write(sent.body.subarray(0, -2));
    setTimeout(() => request.end(sent.body.subarray(-2)), MOMENT_MS);
  });
}

/** Sends the whole body, but takes longer than the deadline. */
export async function slowly(scene: Scene, sent: Sent): Promise<Outcome> {
  return byHand(scene, { ...sent, headers: lengthOf(sent) }, (request) => {
    const half = sent.body.length / 2;
    request.write(sent.body.subarray(0, half));
    setTimeout(() => request.end(sent.body.subarray(half)), DEADLINE_MS + MOMENT_MS);
  });
}

/** Sends the body byte by byte, more slowly than the host allows. */
export async function trickled(scene: Scene, sent: Sent): Promise<Outcome> {
  return byHand(scene, { ...sent, headers: lengthOf(sent) }, (request) => {
    let at = 0;
    const drip = setInterval(() => request.write(sent.body.subarray(at, (at += 1))), MOMENT_MS);
    request.once('close', () => clearInterval(drip));
  });
}

/** Sends half of the body, and then nothing. */
export async function stalled(scene: Scene, sent: Sent): Promise<Outcome> {
  return byHand(scene, { ...sent, headers: lengthOf(sent) }, (request) =>
    request.write(sent.body.subarray(0, sent.body.length / 2)),
  );
}

/** Announces a body by its Content-Length, but sends none of it. */
export async function announced(scene: Scene, sent: Sent): Promise<Outcome> {
  return byHand(scene, { ...sent, headers: lengthOf(sent) }, (request) => request.flushHeaders());
}

/** Disconnects when half of the body is sent. */
export async function leavingMidBody(scene: Scene, sent: Sent): Promise<Outcome> {
  return byHand(scene, { ...sent, headers: lengthOf(sent) }, (request) => {
    request.write(sent.body.subarray(0, sent.body.length / 2));
    setTimeout(() => request.destroy(), MOMENT_MS);
  });
}

/** Disconnects when the model has received the question. */
export async function leavingMidCall(scene: Scene, sent: Sent): Promise<Outcome> {
  const outcome = await leavingAfterCall(scene, sent);
  if (!(await Promise.race([scene.azure.model.requests[0]?.closedEarly, sleep(2_000, false)])))
    throw new Error('the model call was not cancelled');
  return outcome;
}

/** Disconnects when the model has answered 503, a second before the retry, and waits to see whether it is made. */
export async function leavingBetweenAttempts(scene: Scene, sent: Sent): Promise<Outcome> {
  scene.azure.model.fail({ status: 503, headers: { 'retry-after': '1' } }, Infinity);
  const outcome = await leavingAfterCall(scene, sent);
  await sleep(1_500);
  return outcome;
}

async function leavingAfterCall(scene: Scene, sent: Sent): Promise<Outcome> {
  return byHand(scene, { ...sent, headers: lengthOf(sent) }, (request) => {
    request.end(sent.body);
    void (async () => {
      while (scene.azure.model.requests.length === 0) await sleep(10);
      setTimeout(() => request.destroy(), MOMENT_MS);
    })();
  });
}

/** Disconnects when the first words of the answer have come. */
export async function leavingMidAnswer(scene: Scene, sent: Sent): Promise<Outcome> {
  const { requests } = scene.azure.model;
  const outcome = await byHand(scene, { ...sent, headers: lengthOf(sent) }, (request) => {
    request.once('response', (response: http.IncomingMessage) => response.once('data', () => request.destroy()));
    request.end(sent.body);
  });
  if (!(await Promise.race([requests[0]?.closedEarly, sleep(2_000, false)])))
    throw new Error('the model call was not cancelled during the answer');
  return outcome;
}

function lengthOf({ headers, body }: Sent): Record<string, string> {
  return { ...headers, 'content-length': String(body.length) };
}

async function byHand(
  { app }: Scene,
  { path, headers }: Sent,
  send: (request: http.ClientRequest) => void,
): Promise<Outcome> {
  const request = http.request(app.url + path, { method: 'POST', headers, agent: false });
  send(request);
  try {
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const text = Buffer.concat(await response.toArray()).toString();
    return outcomeOf(response.statusCode ?? 0, new Headers(response.headers as Record<string, string>), text);
  } catch {
    return NO_ANSWER;
  } finally {
    request.destroy();
  }
}
