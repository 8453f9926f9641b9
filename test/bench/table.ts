/** The cells of a line. */
export type Row = readonly string[];

/** A Markdown table whose columns line up; all but those that begin with a letter are set to the right. */
export function table(head: Row, rows: readonly Row[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const right = head.map((_, column) => rows.every((row) => /^[-\d.]*$/.test(row[column] ?? '')));
  const line = (row: Row): string =>
    `| ${widths.map((width, at) => (right[at] ? (row[at] ?? '').padStart(width) : (row[at] ?? '').padEnd(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, at) => (right[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`;
  return `${[line(head), rule, ...rows.map(line)].join('\n')}\n`;
}
