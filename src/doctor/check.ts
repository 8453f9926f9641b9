/** The checks from the ground up. Each stands on those before it. */
export type CheckName = 'node' | 'settings' | 'endpoint' | 'token' | 'deployment' | 'storage' | 'model';

/** What one check found. */
export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  /** A line of plain words; nothing secret. */
  readonly reason: string;
  /** The step that mends it; null where there is nothing to mend. */
  readonly fix: string | null;
}

/** A finding under its name. */
export interface Check extends Finding {
  readonly name: CheckName;
}

/** All checks, and whether none failed. */
export interface Report {
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
