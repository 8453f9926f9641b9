/** Something that was shown to an app and that it may not print. */
export interface Secret {
  readonly kind: 'image' | 'words' | 'key';
  readonly value: Buffer;
}

/** Below this, a text may stand in a log by chance. */
const SHORTEST_TEXT = 8;
/** How much of a longer text, or of an image, is too much: characters or bytes. */
const PIECE = 24;
/** At so many places it is looked for; base64, in which an image would most likely be printed, everywhere. */
const PLACES = 8;
const ID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;

/** What is recognised by its looks alone: any token, any larger piece of base64 or hex, any data URL. */
const LOOKS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a token', /eyJ[\w-]{8,}/],
  ['an Authorization header', /bearer [\w-]{16,}/i],
  ['base64 or hex', /[A-Za-z\d+]{64,}/],
  ['a data URL', /data:image/],
  ['a buffer', /<Buffer [\da-f]{2} |"type":"Buffer"/],
];

/** What of all that an output holds, in words without it; nothing, if all is well. */
export function leaksIn(output: string, secrets: Iterable<Secret>): string[] {
  const looks = LOOKS.flatMap(([what, pattern]) => (pattern.test(output) ? [what] : []));
  const printed = { output, squeezed: output.replaceAll(/\s/g, ''), runs: runsOfBase64(output) };
  const known = [...secrets].flatMap(({ kind, value }) => {
    if (kind === 'image') return holdsImage(printed, value) ? ['a piece of an image'] : [];
    return piecesOfText(value.toString()).some((piece) => output.includes(piece))
      ? [kind === 'key' ? 'a key' : 'what was said']
      : [];
  });
  return [...new Set([...looks, ...known])];
}

interface Printed {
  readonly output: string;
  /** Without any white space: programs break lists of numbers as they please. */
  readonly squeezed: string;
  /** Pieces of what could be base64. */
  readonly runs: ReadonlySet<string>;
}

function holdsImage({ output, squeezed, runs }: Printed, image: Buffer): boolean {
  const base64 = image.toString('base64');
  if ([...runs].some((run) => base64.includes(run))) return true;
  return piecesOf(image).some((piece) => {
    // The ends of a piece may lie inside a character.
    const asText = [piece.toString('latin1'), piece.toString().slice(4, -4)];
    return (
      asText.some((text) => output.includes(text)) ||
      [piece.toString('hex'), [...piece].join(',')].some((text) => squeezed.includes(text))
    );
  });
}

/** A text as it is, as JSON has it, and as a URL has it; a long one in pieces. */
function piecesOfText(text: string): string[] {
  if (text.length < SHORTEST_TEXT) return [];
  const forms = [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    new URLSearchParams({ text }).toString().slice('text='.length),
  ];
  return forms.flatMap((form) => starts(form.length, PIECE).map((at) => form.slice(at, at + PIECE)));
}

function piecesOf(image: Buffer): Buffer[] {
  return image.length < PIECE ? [] : starts(image.length, PIECE).map((at) => image.subarray(at, at + PIECE));
}

/** Every stretch of so many characters that base64 could have, in either alphabet; ids have dashes in other places. */
function runsOfBase64(output: string): Set<string> {
  const stretches = output.replaceAll(ID, ' ').match(/[A-Za-z\d+/_-]{24,}/g) ?? [];
  const standard = [...new Set(stretches)].map((stretch) => stretch.replaceAll('-', '+').replaceAll('_', '/'));
  return new Set(
    standard.flatMap((stretch) =>
      Array.from({ length: stretch.length - PIECE + 1 }, (_, at) => stretch.slice(at, at + PIECE)),
    ),
  );
}

function starts(length: number, piece: number): number[] {
  const last = Math.max(0, length - piece);
  return [...new Set(Array.from({ length: PLACES }, (_, place) => Math.floor((last * place) / (PLACES - 1))))];
}
