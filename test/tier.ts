/**
 * Whether this is a full run, which tries every row of every table. `test/nightly.config.ts` sets TIER=full for it.
 * Other runs must end within minutes, so they take only some rows of a large table, but try every kind of failure in at
 * least one way. The other rows are not reported as skipped, because no test is created for them.
 */
export const FULL = process.env['TIER'] === 'full';

/** Combines each row with every way in a full run; otherwise with one way, in turn. */
export function inTurn<Row, Way>(rows: readonly Row[], ways: readonly Way[]): { row: Row; way: Way }[] {
  return rows.flatMap((row, at) =>
    ways.filter((_, index) => FULL || index === at % ways.length).map((way) => ({ row, way })),
  );
}

/** Returns all rows in a full run; otherwise the first, and each `step`th after it. */
export function some<Row>(rows: readonly Row[], step: number): Row[] {
  return rows.filter((_, at) => FULL || at % step === 0);
}
