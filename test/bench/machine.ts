import { availableParallelism, loadavg, totalmem } from 'node:os';

/** What a reader needs to know about the machine of a run. */
export interface Machine {
  /** Date of the run in UTC, like 2026-11-26. */
  readonly day: string;
  readonly cores: number;
  /** In units of 1024 ** 3 bytes: the memory of the machine or the limit of its container, whichever is less. */
  readonly memoryGb: number;
  readonly node: string;
  readonly system: string;
  /** Load average of the last minute: how many processes were running or waiting. A quiet machine is well below 1. */
  readonly loadBefore: number;
}

/** Describes this machine. Call it before a run, because of the load average. */
export function describeMachine(): Machine {
  return {
    day: new Date().toISOString().slice(0, 10),
    cores: availableParallelism(),
    memoryGb: Math.round(Math.min(process.constrainedMemory() || Infinity, totalmem()) / 1024 ** 3),
    node: process.versions.node,
    system: `${process.platform} ${process.arch}`,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}
