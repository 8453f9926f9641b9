/** Content that was sent to an app and that the app must not print. */
export interface Secret {
  readonly kind: 'image' | 'words' | 'key';
  readonly value: Buffer;
}

/** A shorter text may be in a log by chance. */
const SHORTEST_TEXT = 8;
/** The length of the pieces of an image or a longer text that are searched for, in bytes or characters. */
const PIECE_LENGTH = 24;
/** How many pieces are searched for. Of base64, the most likely form of an image in a log, it is every piece. */
const PIECES = 8;
const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;

/** Patterns that no log may match, whatever the secrets are. */
const PATTERNS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a token', /eyJ[\w-]{8,}/],
  ['an Authorization header', /bearer [\w-]{16,}/i],
  ['base64 or hex', /[A-Za-z\d+]{64,}/],
  ['a data URL', /data:image/],
  ['a buffer', /<Buffer [\da-f]{2} |"type":"Buffer"/],
];

/** Lists the kinds of secrets in an output, without the secrets themselves. The list is empty if there are none. */
export function leaksIn(output: string, secrets: Iterable<Secret>): string[] {
  const matched = PATTERNS.flatMap(([what, pattern]) => (pattern.test(output) ? [what] : []));
  const printed = { output, squeezed: output.replaceAll(/\s/g, ''), runs: runsOfBase64(output) };
  const known = [...secrets].flatMap(({ kind, value }) => {
    if (kind === 'image') return containsImage(printed, value) ? ['a piece of an image'] : [];
    return piecesOfText(value.toString()).some((piece) => output.includes(piece))
      ? [kind === 'key' ? 'a key' : 'instructions or an answer']
      : [];
  });
  return [...new Set([...matched, ...known])];
}

interface Printed {
  readonly output: string;
  /** The output without white space, because programs wrap lists of numbers differently. */
  readonly squeezed: string;
  /** All pieces of possible base64. */
  readonly runs: ReadonlySet<string>;
}

function containsImage({ output, squeezed, runs }: Printed, image: Buffer): boolean {
  const base64 = image.toString('base64');
  if ([...runs].some((run) => base64.includes(run))) return true;
  return piecesOf(image).some((piece) => {
    // A piece may begin or end within a character.
    const asText = [piece.toString('latin1'), piece.toString().slice(4, -4)];
    return (
      asText.some((text) => output.includes(text)) ||
      [piece.toString('hex'), [...piece].join(',')].some((text) => squeezed.includes(text))
    );
  });
}

/** Returns pieces of a text as it is, as it is in JSON, and as it is in a URL. */
function piecesOfText(text: string): string[] {
  if (text.length < SHORTEST_TEXT) return [];
  const forms = [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    new URLSearchParams({ text }).toString().slice('text='.length),
  ];
  return forms.flatMap((form) => starts(form.length).map((at) => form.slice(at, at + PIECE_LENGTH)));
}

function piecesOf(image: Buffer): Buffer[] {
  return image.length < PIECE_LENGTH ? [] : starts(image.length).map((at) => image.subarray(at, at + PIECE_LENGTH));
}

/** Returns every piece of an output that could be base64 or base64url, but is not part of a UUID. */
function runsOfBase64(output: string): Set<string> {
  const stretches = output.replaceAll(UUID, ' ').match(/[A-Za-z\d+/_-]{24,}/g) ?? [];
  const standard = [...new Set(stretches)].map((stretch) => stretch.replaceAll('-', '+').replaceAll('_', '/'));
  return new Set(
    standard.flatMap((stretch) =>
      Array.from({ length: stretch.length - PIECE_LENGTH + 1 }, (_, at) => stretch.slice(at, at + PIECE_LENGTH)),
    ),
  );
}

/** Returns where pieces begin that are spread evenly from the start to the end. */
function starts(length: number): number[] {
  const last = Math.max(0, length - PIECE_LENGTH);
  return [...new Set(Array.from({ length: PIECES }, (_, at) => Math.floor((last * at) / (PIECES - 1))))];
}
