import type { Report } from '../../doctor/check.ts';

const MARKS = { ok: '✓', warn: '!', fail: '✗', skip: '-' } as const;

/** Formats a report for people: for each check a mark, its name and the reason, and below that what to do. */
export function printed({ ok, checks }: Report): string {
  const lines = checks.flatMap(({ name, status, reason, fix }) => [
    `${MARKS[status]} ${name.padEnd(11)}${reason}`,
    ...(fix ? [`  ${' '.repeat(11)}-> ${fix}`] : []),
  ]);
  return [...lines, '', ok ? 'It works.' : 'It does not work yet. Fix the line marked ✗, then run it again.', ''].join(
    '\n',
  );
}
