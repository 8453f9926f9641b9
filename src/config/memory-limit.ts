import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** What is left to the requests of all the memory there is; the rest is code, connections and what the host buffers. */
const SHARE_OF_MEMORY = 1 / 4;
/** The heap's limit tells of a small instance where nothing else does, for whoever runs Node with a smaller one. */
const SHARE_OF_HEAP = 1 / 2;

/** How many bytes requests may hold in this process, from the limits that it runs under (cgroup, machine, V8). */
export function defaultInflightBytes(): number {
  const memory = Math.min(process.constrainedMemory() || Infinity, totalmem());
  return Math.floor(Math.min(memory * SHARE_OF_MEMORY, getHeapStatistics().heap_size_limit * SHARE_OF_HEAP));
}
