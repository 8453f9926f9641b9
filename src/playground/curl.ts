/** What the page would send. */
export interface CurlRequest {
  readonly url: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly fileNames: readonly string[];
  /** With a variable in the place of the key or token. */
  readonly header: string | undefined;
}

/**
 * The curl command that sends the same, from the directory where the files are. It sends a chunked body, which the
 * Functions host passes on as it arrives; one with a Content-Length it first reads whole.
 */
export function curlCommand({ url, fields, fileNames, header }: CurlRequest): string {
  return [
    `curl -N ${shell(url)}`,
    `-H 'Accept: text/event-stream'`,
    `-H 'Transfer-Encoding: chunked'`,
    ...(header ? [`-H "${header}"`] : []),
    // With -F, curl would take a value that begins with @ or < for the name of a file.
    ...fields.map(([name, value]) => `--form-string ${shell(`${name}=${value}`)}`),
    ...fileNames.map((name) => `-F ${shell(`image=@${formFileName(name)}`)}`),
  ].join(' \\\n  ');
}

/** A word that a POSIX shell takes as it stands. */
function shell(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** curl ends a name at a comma or semicolon that is not in quotes: https://curl.se/docs/manpage.html#-F */
function formFileName(name: string): string {
  return /[,;"\\]/.test(name) ? `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"` : name;
}
