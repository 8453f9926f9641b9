import { randomUUID } from 'node:crypto';
import { generate } from 'selfsigned';

/** A certificate and its private key, both in PEM format. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Creates a certificate authority, and a certificate of it for 127.0.0.1. */
export async function makeServerCertificate(): Promise<{ ca: string; server: Certificate }> {
  // The name is unique, because a process may trust several of these and tells them apart by name.
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

/**
 * Creates a certificate with which an application signs in: self-signed RSA, like that of `az ad app credential reset
 * --create-cert`.
 */
export async function makeClientCertificate(): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'emulated-application' }], {
    keyType: 'rsa',
    algorithm: 'sha256',
  });
  return { cert, key };
}
