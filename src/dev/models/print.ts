import type { Found } from './ask-azure.ts';

/** Formats the models as a table for people. */
export function printed({ location, models, configured, warnings }: Found): string {
  const rows = models.map(({ name, version, lifecycle, retires, flex, skus }) => [
    `${name === configured?.name && version === configured.version ? '*' : ' '} ${name}`,
    version,
    lifecycle,
    retires ?? '-',
    flex ? 'yes' : '-',
    skus.join(' '),
  ]);
  const notes = [
    ...(configured ? [`* runs as ${configured.deployment}`] : []),
    ...(models.length === 0 ? [`No model in ${location} can see images.`] : []),
    ...warnings.map((warning) => `! ${warning}`),
  ];
  return [
    `Models in ${location} that can see:`,
    '',
    ...aligned([['  model', 'version', 'lifecycle', 'retires', 'flex', 'SKUs'], ...rows]),
    '',
    ...notes,
    '',
  ].join('\n');
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
