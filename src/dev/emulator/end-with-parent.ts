import { Socket } from 'node:net';

/** Preloaded into a child process: ends it when its parent is gone, however that ended. */
process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM')).resume();
// It must not be what keeps the child alive.
if (process.stdin instanceof Socket) process.stdin.unref();
