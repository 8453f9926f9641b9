import { Socket } from 'node:net';

/** Milliseconds until a child that ignores SIGTERM is killed. */
const LAST_MS = 6_000;

/** Preload this module into a child process, so that the child ends with its parent, even if the parent is killed. */
process.stdin
  .once('end', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), LAST_MS).unref();
  })
  .resume();
// Reading stdin must not keep the child alive.
if (process.stdin instanceof Socket) process.stdin.unref();
