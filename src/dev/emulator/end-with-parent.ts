import { Socket } from 'node:net';

/** For a child that does not end when it is asked to. */
const LAST_MS = 6_000;

/** Preloaded into a child process: ends it when its parent is gone, however that ended. */
process.stdin
  .once('end', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), LAST_MS).unref();
  })
  .resume();
// It must not be what keeps the child alive.
if (process.stdin instanceof Socket) process.stdin.unref();
