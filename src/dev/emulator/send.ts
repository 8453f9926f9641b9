import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import type { Fault } from './fault.ts';

/** The error with which the emulator itself cuts a connection. */
export class BrokenOff extends Error {}

/** Sends an answer with a fault applied to it, and records in `sentAt` when each piece is sent. */
export async function send(res: ServerResponse, answer: Answer, fault: Fault, sentAt: number[]): Promise<void> {
  if (fault.silent) return;
  await pause(fault.delayMs);
  if (fault.breakOff === 'before-headers') return cut(res);

  const { body } = answer;
  const closed = new Promise<void>((resolve) => {
    res.once('close', resolve);
  });
  res.writeHead(answer.status, { ...answer.headers, ...fault.headers });
  for (const piece of fault.breakOff === 'mid-body' ? firstHalf(body) : body) {
    if (body.length > 1) await pause(fault.wordDelayMs);
    if (res.destroyed) return;
    sentAt.push(performance.now());
    await Promise.race([written(res, piece), closed]);
  }
  if (fault.breakOff === 'mid-body') cut(res);
  else res.end();
}

function firstHalf(body: string[]): string[] {
  const [only = ''] = body;
  return body.length > 1 ? body.slice(0, body.length / 2) : [only.slice(0, only.length / 2)];
}

/** Resolves when the operating system has the bytes, so that a later cut does not lose them. */
function written(res: ServerResponse, piece: string): Promise<void> {
  return new Promise((resolve) => {
    res.write(piece, () => resolve());
  });
}

function cut(res: ServerResponse): void {
  res.destroy(new BrokenOff('broken off by a fault'));
}

async function pause(ms = 0): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { ref: false });
}
