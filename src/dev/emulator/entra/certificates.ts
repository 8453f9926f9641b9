import { randomUUID } from 'node:crypto';
import { generate } from 'selfsigned';

/** A certificate with its private key, both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority that nobody trusts who is not told to, and a certificate of its for this machine's loopback. */
export async function makeServerCertificate(): Promise<{ ca: string; server: Certificate }> {
  // A process may trust several, and tells them apart by their names.
  const ca = await generate([{ name: 'commonName', value: `Emulated Azure CA ${randomUUID()}` }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: { key: ca.private, cert: ca.cert },
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  return { ca: ca.cert, server: { cert: server.cert, key: server.private } };
}

/** The certificate that an application signs in with: self-signed, RSA, as `az ad app credential reset --create-cert` makes it. */
export async function makeClientCertificate(): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'emulated-application' }], {
    keyType: 'rsa',
    algorithm: 'sha256',
  });
  return { cert, key };
}
