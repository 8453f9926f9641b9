import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listen } from '../../start/listen.ts';
import { controlPlane, type ControlPlane } from '../control-plane.ts';
import { Endpoint } from '../endpoint.ts';
import { TENANT, type TokenAuthority } from '../tokens.ts';
import { type Application, registerApplication } from './application.ts';
import { makeServerCertificate } from './certificates.ts';
import { PersonSignIn } from './person.ts';
import { sts } from './sts.ts';

/** The emulated services that are reached only over HTTPS: Entra and the control plane. */
export interface EmulatedEntra {
  readonly sts: Endpoint;
  readonly arm: Endpoint;
  readonly application: Application;
  readonly person: PersonSignIn;
  readonly tenant: string;
  readonly url: string;
  /** The certificate authority in PEM format. */
  readonly ca: string;
  /** The environment variables with which an app uses and trusts it. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Starts an emulated Entra on a free port of 127.0.0.1. Its tokens come from `authority`. Only processes that start
 * with `env` trust its new certificate authority, because Node reads NODE_EXTRA_CA_CERTS only at its start.
 */
export async function startEntra(
  authority: TokenAuthority,
  plane: ControlPlane = { models: [], accounts: [] },
): Promise<EmulatedEntra> {
  const [{ ca, server: certificate }, application] = await Promise.all([
    makeServerCertificate(),
    registerApplication(),
  ]);
  const directory = await mkdtemp(join(tmpdir(), 'emulated-entra-'));
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, ca);

  const options = { record: true, wordDelayMs: 0 };
  const person = new PersonSignIn(authority);
  const service = new Endpoint(sts({ authority, application, person }), options);
  const arm = new Endpoint(controlPlane(authority, plane), options);
  const server = createServer(certificate, (req, res) => {
    const endpoint = req.url?.startsWith('/subscriptions/') ? arm : service;
    endpoint.handle(req, res).catch((error: unknown) => {
      res.destroy();
      if (req.complete) console.error('The emulated Entra failed:', error);
    });
  });
  const url = `https://127.0.0.1:${await listen(server, 0)}`;
  return {
    sts: service,
    arm,
    application,
    person,
    tenant: TENANT,
    url,
    ca,
    env: { AZURE_AUTHORITY_HOST: url, NODE_EXTRA_CA_CERTS: caFile, AZURE_TENANT_ID: TENANT },
    async close() {
      server.close();
      server.closeAllConnections();
      await rm(directory, { recursive: true });
    },
  };
}
