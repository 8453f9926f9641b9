/** The names of all checks. Most checks need the ones before them to pass. */
export type CheckName = 'node' | 'settings' | 'endpoint' | 'token' | 'deployment' | 'storage' | 'model';

/** The result of one check. */
export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  /** One line for people to read. It never contains a secret. */
  readonly reason: string;
  /** How to fix it; null if there is nothing to fix. */
  readonly fix: string | null;
}

/** A finding, with the name of its check. */
export interface Check extends Finding {
  readonly name: CheckName;
}

/** The findings of all checks. */
export interface Report {
  /** True if no check failed. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

export function ok(reason: string): Finding {
  return { status: 'ok', reason, fix: null };
}

export function skip(reason: string): Finding {
  return { status: 'skip', reason, fix: null };
}

export function warn(reason: string, fix: string): Finding {
  return { status: 'warn', reason, fix };
}

export function fail(reason: string, fix: string): Finding {
  return { status: 'fail', reason, fix };
}
