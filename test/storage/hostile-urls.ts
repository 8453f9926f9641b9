/** A container, and a server that must not be reached. */
export interface Place {
  /** As in IMAGE_CONTAINERS: `https://HOST/CONTAINER` or `https://127.0.0.1:PORT/ACCOUNT/CONTAINER`. */
  readonly container: string;
  /** An authority other than the container's. */
  readonly elsewhere: string;
}

/** Returns URLs that must be refused, each with its kind. None is the plain URL of a blob in the container. */
export function hostileUrls({ container, elsewhere }: Place): [what: string, url: string][] {
  const { protocol, host, hostname, port, pathname } = new URL(container);
  const at = (authority: string, path = `${pathname}/a.png`): string => `${protocol}//${authority}${path}`;
  const withPort = (name: string): string => (port ? `${name}:${port}` : name);
  const parent = container.slice(0, container.lastIndexOf('/'));
  const urls: Record<string, string> = {
    'another host': at(elsewhere),
    'a host that begins with the right one': at(`${hostname}.evil.example`),
    'a host that ends with the right one': at(`evil-${host}`),
    'a dot after the host': at(withPort(`${hostname}.`)),
    'the right host as userinfo': at(`${host}@${elsewhere}`),
    'the right host as user and password': at(`${hostname}:x@${elsewhere}`),
    'userinfo before the right host': at(`user:password@${host}`),
    'an encoded @ in the authority': at(`${host}%40${elsewhere}`),
    'a backslash after the host': `${protocol}//${elsewhere}\\@${host}${pathname}/a.png`,
    'backslashes for slashes': `${protocol}\\\\${elsewhere}${pathname}/a.png`,
    'a backslash in the path': `${container}\\..\\other\\a.png`,
    'an encoded backslash': `${container}/..%5Cother%5Ca.png`,
    'no scheme': `//${elsewhere}${pathname}/a.png`,
    'no scheme and no host': `${pathname}/a.png`,
    'three slashes': `${protocol}///${elsewhere}${pathname}/a.png`,
    'one slash': `${protocol}/${elsewhere}${pathname}/a.png`,
    'http instead of https, or the reverse':
      container.replace(protocol, protocol === 'https:' ? 'http:' : 'https:') + '/a.png',
    'an ftp URL': `ftp://${host}${pathname}/a.png`,
    'a file URL': 'file:///etc/passwd',
    'a file URL with a host': `file://${host}${pathname}/a.png`,
    'a data URL': 'data:image/png;base64,iVBORw0KGgo=',
    'a javascript URL': 'javascript:alert(1)',
    'a blob URL of a browser': `blob:${container}/a.png`,
    'a view-source URL': `view-source:${container}/a.png`,
    'a wss URL': `wss://${host}${pathname}/a.png`,
    'the metadata service': at('169.254.169.254', '/metadata/identity/oauth2/token'),
    'an IP address': at('10.0.0.4'),
    'an IPv6 address': at('[::1]'),
    'an IPv6 address with an embedded IPv4 address': at('[::ffff:127.0.0.1]'),
    'an IP address as one number': at(withPort('2130706433')),
    'an IP address in hexadecimal': at(withPort('0x7f000001')),
    'an IP address in octal': at(withPort('0177.0.0.1')),
    'a shortened IP address': at(withPort('127.1')),
    'another port': at(`${hostname}:1`),
    'an empty port': at(`${hostname}:`),
    'a full-width host': at('ｅvil.example'),
    'a full-width dot': at(host.replace('.', '。')),
    'a soft hyphen in the host': at(`${host.slice(0, 3)}\u00AD${host.slice(3)}`),
    'a Kelvin sign for k, a long s for s, an Arabic digit for 1': at(
      host.replace('k', '\u212A').replace('s', '\u017F').replace('1', '١'),
    ),
    'the container as the end of another': `${parent}/x${container.slice(parent.length + 1)}/a.png`,
    'the container as the beginning of another': `${container}x/a.png`,
    'the container in other case': `${parent}/${container.slice(parent.length + 1).toUpperCase()}/a.png`,
    'another container': `${parent}/other/a.png`,
    'a dot segment': `${container}/./a.png`,
    'a dot segment up': `${container}/../other/a.png`,
    'dot segments up from a folder': `${container}/folder/../../other/a.png`,
    'a dot segment at the end': `${container}/folder/..`,
    'an encoded dot segment': `${container}/%2e%2e/other/a.png`,
    'a half-encoded dot segment': `${container}/.%2E/other/a.png`,
    'a double-encoded dot segment': `${container}/%252e%252e/other/a.png`,
    'an encoded slash': `${container}/..%2Fother%2Fa.png`,
    'an encoded slash in a name': `${container}/folder%2fa.png`,
    'a double-encoded slash': `${container}/..%252Fother%252Fa.png`,
    'a slash in overlong UTF-8': `${container}/..%C0%AFother/a.png`,
    'two slashes': `${container}//a.png`,
    'an encoded NUL': `${container}/a.png%00.txt`,
    'an encoded line break': `${container}/a.png%0D%0AHost:%20evil.example`,
    'a line break': `${container}/a.png\r\nHost: evil.example`,
    'a tab in the scheme': container.replace(':', '\t:') + '/a.png',
    'a tab in the host': at(`${host.slice(0, 3)}\t${host.slice(3)}`),
    'a space before the URL': ` ${container}/a.png`,
    'a DEL': `${container}/a\u007F.png`,
    'a C1 control character': `${container}/a\u0085.png`,
    'a SAS token': `${container}/a.png?sv=2026-02-06&sr=b&sp=r&sig=c2lnbmF0dXJl`,
    'a snapshot': `${container}/a.png?snapshot=2026-11-26T00:00:00.0000000Z`,
    'a version': `${container}/a.png?versionid=2026-11-26T00:00:00.0000000Z`,
    'a listing': `${container}?restype=container&comp=list`,
    'an empty query': `${container}/a.png?`,
    'a fragment': `${container}/a.png#b`,
    'a fragment in the authority': at(`${elsewhere}#${host}`),
    'a query in the authority': at(`${elsewhere}?${host}`),
    'the container alone': container,
    'the container and a slash': `${container}/`,
    'broken percent-encoding': `${container}/100%.png`,
    'percent-encoding that is not UTF-8': `${container}/%FF.png`,
    'a name that is too long': `${container}/${'a'.repeat(1025)}`,
    'a very long name': `${container}/${'a'.repeat(100_000)}`,
    'an empty string': '',
    'only a file name': 'a.png',
    'two URLs': `${container}/a.png,${container}/b.png`.replace(',', ` https://${elsewhere}/?`),
  };
  return Object.entries(urls);
}
