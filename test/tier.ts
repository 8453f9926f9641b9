/**
 * How much a run tries. `npm test` ends within minutes: of a large table it takes some rows, so that whatever can go wrong is
 * tried in at least one way. The full run takes every row; `test/nightly.config.ts` sets TIER=full for it. Nothing is skipped:
 * a row that is not taken is no test.
 */
export const FULL = process.env['TIER'] === 'full';

/** Each row with each of the ways in the full run; otherwise each row with one of the ways, in turn. */
export function inTurn<Row, Way>(rows: readonly Row[], ways: readonly Way[]): { row: Row; way: Way }[] {
  return rows.flatMap((row, at) =>
    ways.filter((_, index) => FULL || index === at % ways.length).map((way) => ({ row, way })),
  );
}

/** All rows in the full run; otherwise the first, and each `step`th after it. */
export function some<Row>(rows: readonly Row[], step: number): Row[] {
  return rows.filter((_, at) => FULL || at % step === 0);
}
