/** The cells of one row, from left to right. */
export type Row = readonly string[];

/** Returns a Markdown table with aligned columns. Columns that have only numbers and empty cells are right-aligned. */
export function table(head: Row, rows: readonly Row[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const right = head.map((_, column) => rows.every((row) => /^[-\d.]*$/.test(row[column] ?? '')));
  const line = (row: Row): string =>
    `| ${widths.map((width, at) => (right[at] ? (row[at] ?? '').padStart(width) : (row[at] ?? '').padEnd(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, at) => (right[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`;
  return `${[line(head), rule, ...rows.map(line)].join('\n')}\n`;
}
