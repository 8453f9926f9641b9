/** A request of the page, to be shown as a curl command. */
export interface CurlRequest {
  readonly url: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly fileNames: readonly string[];
  /** The header with a shell variable in place of the key or token. */
  readonly header: string | undefined;
}

/**
 * Returns a curl command that sends the same request. It must run in the directory of the files. It sends the body in
 * chunks, which the Functions host forwards as they arrive. A body with a Content-Length it first reads completely.
 */
export function curlCommand({ url, fields, fileNames, header }: CurlRequest): string {
  return [
    `curl -N ${shell(url)}`,
    `-H 'Accept: text/event-stream'`,
    `-H 'Transfer-Encoding: chunked'`,
    ...(header ? [`-H "${header}"`] : []),
    // With -F, curl reads a value that begins with @ or < as the name of a file.
    ...fields.map(([name, value]) => `--form-string ${shell(`${name}=${value}`)}`),
    ...fileNames.map((name) => `-F ${shell(`image=@${formFileName(name)}`)}`),
  ].join(' \\\n  ');
}

/** Quotes a word for a POSIX shell. */
function shell(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Quotes a file name if needed. Without quotes, curl ends it at a comma or semicolon:
 * https://curl.se/docs/manpage.html#-F
 */
function formFileName(name: string): string {
  return /[,;"\\]/.test(name) ? `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"` : name;
}
