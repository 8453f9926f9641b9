import type { FileHandle } from 'node:fs/promises';
import { CsvError, parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import * as v from 'valibot';
import type { Answer } from './ask-image.ts';
import type { Format } from './format.ts';

const BOM = '\uFEFF';
const END_OF_LINE = '\r\n';
const Schema = v.object({ properties: v.record(v.string(), v.unknown()) });
const Records = v.object({ record: v.array(v.string()), info: v.object({ bytes: v.number() }) });

/**
 * Start of a name that a spreadsheet reads as a formula. Such a name is written as `./NAME`, which is the same file.
 */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * Creates the CSV format for spreadsheets: RFC 4180 with a byte order mark, because Excel does not read UTF-8 without
 * it. An apostrophe goes before text that would be a formula. With a schema, each of its members is a column.
 */
export function csvFormat(schema: Record<string, unknown> | undefined): Format {
  const members = v.is(Schema, schema) ? Object.keys(schema.properties) : undefined;
  const columns = [
    'file',
    ...(members ?? ['answer']),
    'refusal',
    'finishReason',
    'model',
    'inputTokens',
    'outputTokens',
  ];
  const head = BOM + toCsv(columns);
  return {
    head,
    line: (file, answer) => toCsv([FORMULA.test(file) ? `./${file}` : file, ...cells(answer, members)]),
    read: async (file) => read(file, head, columns),
  };
}

function cells(
  { answer, data, refusal, finishReason, model, usage }: Answer,
  members: string[] | undefined,
): unknown[] {
  const { inputTokens, outputTokens } = usage;
  const said = members ? members.map((member) => data?.[member]) : [answer];
  return [...said, refusal, finishReason, model, inputTokens, outputTokens];
}

function toCsv(row: unknown[]): string {
  return stringify([row], {
    record_delimiter: END_OF_LINE,
    escape_formulas: true,
    cast: {
      boolean: String,
      // A negative number begins with a minus sign, but is not a formula.
      number: (value) => ({ value: String(value), escape_formulas: false }),
    },
  });
}

async function read(
  file: FileHandle,
  head: string,
  columns: string[],
): Promise<{ answered: Set<string>; end: number }> {
  const { size } = await file.stat();
  const start = await textAt(file, 0, Buffer.byteLength(head));
  if (size < Buffer.byteLength(head) && head.startsWith(start.replace(/\uFFFD+$/, '')))
    return { answered: new Set(), end: 0 };

  const isWhole = (await textAt(file, size - END_OF_LINE.length, END_OF_LINE.length)) === END_OF_LINE;
  const names: string[] = [];
  const ends: number[] = [];
  const parser = file
    .createReadStream({ start: 0, autoClose: false })
    .pipe(parse({ bom: true, info: true, record_delimiter: END_OF_LINE, relax_column_count: true }));
  try {
    for await (const row of parser) {
      const { record, info } = v.parse(Records, row);
      if (ends.length === 0 && record.join() !== columns.join()) throw new Error('The columns are different.');
      names.push(record[0] ?? '');
      ends.push(info.bytes);
    }
    if (!isWhole) drop();
  } catch (error) {
    // The last line may be cut off inside quotes, or after a quote. Other faults mean a file of another kind.
    if (!(error instanceof CsvError) || (isWhole && error.code !== 'CSV_QUOTE_NOT_CLOSED')) throw error;
  }
  return { answered: new Set(names.slice(1).map((name) => name.replace(/^\.\//, ''))), end: ends.at(-1) ?? 0 };

  function drop(): void {
    names.pop();
    ends.pop();
  }
}

async function textAt(file: FileHandle, position: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, Math.max(position, 0));
  return buffer.toString('utf8', 0, bytesRead);
}
