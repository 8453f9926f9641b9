/** Why a connection failed, and what to do about it. */
export interface ConnectionFailure {
  /** Node's code, such as `ECONNREFUSED`; undefined if the error has none. */
  readonly code: string | undefined;
  /** What is wrong, as a clause in which "it" is the host. */
  readonly reason: string;
  readonly fix: string;
  /** Whether a retry would fail, too. */
  readonly isPermanent: boolean;
}

const CA_CERTIFICATES =
  'if your network has a proxy that decrypts TLS, set NODE_EXTRA_CA_CERTS to a file with its certificate authority';

/**
 * Node's most common codes. Those about certificates come from OpenSSL:
 * https://nodejs.org/docs/latest-v24.x/api/tls.html#x509-certificate-error-codes
 */
const KNOWN: readonly (readonly [codes: RegExp, reason: string, fix: string, isPermanent: boolean])[] = [
  [
    /^ENOTFOUND$/,
    'its name does not resolve',
    'check the name in AZURE_OPENAI_ENDPOINT; if the resource is new or private, its custom subdomain or ' +
      "the network's DNS zone is missing (privatelink.openai.azure.com)",
    false,
  ],
  [/^EAI_AGAIN$/, 'the DNS server does not answer', "check this machine's network", false],
  [/^ECONNREFUSED$/, 'it refuses the connection', 'check the address and the port; nothing listens there', false],
  [
    /^(?:ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)$/,
    'it does not answer',
    'look for a firewall on the way, or use its private endpoint',
    false,
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    'its certificate has expired',
    `renew the certificate, or check this machine's clock; ${CA_CERTIFICATES}`,
    true,
  ],
  [/^CERT_NOT_YET_VALID$/, 'its certificate is not valid yet', `check this machine's clock; ${CA_CERTIFICATES}`, true],
  [
    /^(?:ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    'its certificate is for another name',
    `check the name in AZURE_OPENAI_ENDPOINT; ${CA_CERTIFICATES}`,
    true,
  ],
  [
    /^CERT_|SELF_SIGNED|^UNABLE_TO_|^INVALID_CA$|^INVALID_PURPOSE$|^PATH_LENGTH_EXCEEDED$/,
    'its certificate is not trusted',
    `${CA_CERTIFICATES}; otherwise check the name in AZURE_OPENAI_ENDPOINT`,
    true,
  ],
  [
    /^EPROTO$|^ERR_SSL_|^ERR_TLS_/,
    'TLS fails',
    'check that AZURE_OPENAI_ENDPOINT is the address of the resource, and look for a proxy on the way',
    true,
  ],
  [
    /^Z_/,
    'its response is not compressed as its Content-Encoding says',
    'look for a gateway in front of it that compresses answers',
    false,
  ],
  [
    /^ERR_PROXY_/,
    'the proxy refuses to connect to it',
    'check the user and the password in HTTPS_PROXY, and what the proxy allows; or name the host in NO_PROXY',
    true,
  ],
];

/** Finds out why a connection failed, by the codes of an error and its causes. */
export function connectionFailure(error: unknown): ConnectionFailure {
  const code = causes(error)
    .map((cause) => (cause instanceof Error && 'code' in cause ? String(cause.code) : ''))
    .find((each) => /^[A-Z][A-Z_\d]+$/.test(each));
  const [, reason, fix, isPermanent] = KNOWN.find(([codes]) => codes.test(code ?? '')) ?? [
    /$/,
    'the connection failed',
    'try again; if it fails again, check the address and the network',
    false,
  ];
  return { code, reason, fix, isPermanent };
}

/** The proxy refused to open a tunnel. */
export class ProxyRefused extends Error {
  readonly code = 'ERR_PROXY_REFUSED';

  constructor(status: number) {
    super(`the proxy answered ${status} to CONNECT`);
    this.name = 'ProxyRefused';
  }
}

/** Lists an error and its causes, up to 10, outermost first. */
export function causes(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let each = error; each !== undefined && chain.length < 10; each = each instanceof Error ? each.cause : undefined)
    chain.push(each);
  return chain;
}
