import * as v from 'valibot';
import type { Format } from './format.ts';

const Line = v.object({ file: v.string() });
const NEWLINE = 0x0a;
/** The start of every line. */
const BEGINNING = '{"file":';

/** NDJSON, which has one JSON object in each line. */
export const ndjsonFormat: Format = {
  head: '',
  line: (file, answer) => `${JSON.stringify({ file, ...answer })}\n`,
  async read(file) {
    const answered = new Set<string>();
    let end = 0;
    let rest = Buffer.alloc(0);
    for await (const chunk of file.createReadStream({ start: 0, autoClose: false })) {
      rest = Buffer.concat([rest, chunk]);
      let from = 0;
      for (let to = rest.indexOf(NEWLINE); to >= 0; to = rest.indexOf(NEWLINE, from)) {
        answered.add(v.parse(Line, JSON.parse(rest.toString('utf8', from, to))).file);
        from = to + 1;
      }
      end += from;
      rest = rest.subarray(from);
    }
    if (!BEGINNING.startsWith(rest.toString('latin1', 0, BEGINNING.length)))
      throw new Error('The last line is not an answer.');
    return { answered, end };
  },
};
