import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import * as v from 'valibot';
import { listen } from '../start/listen.ts';
import { makeServerCertificate } from './entra/certificates.ts';
import { startAuthority } from './tokens.ts';

const AZURITE = fileURLToPath(import.meta.resolve('azurite/dist/src/azurite.js'));
const END_WITH_PARENT = new URL('end-with-parent.ts', import.meta.url).href;
/** Azurite's default account. */
const ACCOUNT = 'devstoreaccount1';
/** The container of images, and the container and queues of jobs. In Azure, `infra/` creates them. */
const IMAGES = 'images';
const JOBS = 'vision-jobs';
const RESOURCE = 'https://storage.azure.com';
const TOKEN_SECONDS = 24 * 60 * 60;
const START_MS = 60_000;
/**
 * How long Azurite may take to end, in milliseconds. It saves every 5 s. After a blob is overwritten, it never ends
 * (seen on 3.37).
 */
const CLOSE_MS = 6_000;
/** Azurite's default ports, which other tools know. */
const USUAL_PORTS = [10_000, 10_001] as const;

/** The ports of blobs and queues. Tables are not used, so they get any free port. */
const Port = v.pipe(v.number(), v.integer());
const Ports = v.pipe(v.tuple([Port, Port]), v.readonly());
type Ports = v.InferOutput<typeof Ports>;

/** A storage account on this machine: Azurite over https, which accepts the tokens of the emulated identity. */
export interface EmulatedStorage {
  /** The container from which the app may read images. */
  readonly images: ContainerClient;
  /** The environment variables with which the app and its host use it. */
  readonly env: Readonly<Record<string, string>>;
  /** The certificate authority in PEM format. */
  readonly ca: string;
  /** The file with the certificate authority, for `NODE_EXTRA_CA_CERTS`. */
  readonly caFile: string;
  /**
   * Resolves when it accepts requests and has its containers and queues, about two seconds after its start. Rejects
   * with Azurite's output if it does not start.
   */
  readonly ready: Promise<void>;
  /** A client with an administrator's rights. */
  readonly blobs: BlobServiceClient;
  /** A client with an administrator's rights. */
  readonly queues: QueueServiceClient;
  close(): Promise<void>;
}

/**
 * Starts Azurite on ports of 127.0.0.1, and makes this process trust its certificate. Azurite checks a token's issuer,
 * times and audience, but neither its signature nor roles.
 *
 * @param folder - keeps the data and the ports for the next start, so that URLs stay valid. Without it, nothing is kept
 */
export async function startStorage(folder?: string): Promise<EmulatedStorage> {
  const directory = folder ?? (await mkdtemp(join(tmpdir(), 'azurite-')));
  await mkdir(directory, { recursive: true });
  const [authority, { ca, server }, ports] = await Promise.all([
    startAuthority(TOKEN_SECONDS),
    makeServerCertificate(),
    folder ? portsOf(folder) : freePorts([0, 0]),
  ]);
  const files = { ca: join(directory, 'ca.pem'), cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  await Promise.all([
    writeFile(files.ca, ca),
    writeFile(files.cert, server.cert),
    writeFile(files.key, server.key, { mode: 0o600 }),
  ]);
  const [blob, queue] = ports.map(String);
  const listenOn = ['--blobPort', blob ?? '', '--queuePort', queue ?? '', '--tablePort', '0'];
  const https = ['--cert', files.cert, '--key', files.key, '--oauth', 'basic'];
  const more = ['--location', directory, '--skipApiVersionCheck', '--disableTelemetry', '--silent'];
  const child = spawn(
    process.execPath,
    ['--import', END_WITH_PARENT, AZURITE, ...listenOn, ...https, ...more],
    // Give it its own process group, so that Ctrl-C does not end it before the app has finished.
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  );

  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ca]);

  const blobUrl = `https://127.0.0.1:${blob}/${ACCOUNT}`;
  const queueUrl = `https://127.0.0.1:${queue}/${ACCOUNT}`;
  const administrator = {
    async getToken() {
      const { token, expiresAt } = await authority.issue(RESOURCE);
      return { token, expiresOnTimestamp: expiresAt * 1_000 };
    },
  };
  const blobs = new BlobServiceClient(blobUrl, administrator);
  const queues = new QueueServiceClient(queueUrl, administrator);
  const ready = untilListening(child).then(async () => create(blobs, queues));
  // Callers that wait for it get the rejection. Without a handler here, it would end the process if no caller waits.
  ready.catch(() => undefined);

  return {
    images: blobs.getContainerClient(IMAGES),
    env: {
      IMAGE_CONTAINERS: `${blobUrl}/${IMAGES}`,
      JOBS_STORAGE_ACCOUNT: ACCOUNT,
      JobsStorage__blobServiceUri: blobUrl,
      JobsStorage__queueServiceUri: queueUrl,
      // A proxy cannot reach this machine's own address.
      NO_PROXY: [process.env['NO_PROXY'], '127.0.0.1'].filter(Boolean).join(','),
    },
    ca,
    caFile: files.ca,
    ready,
    blobs,
    queues,
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill();
        const hangs = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
        await exited;
        clearTimeout(hangs);
      }
      if (!folder) await rm(directory, { recursive: true });
    },
  };
}

async function create(blobs: BlobServiceClient, queues: QueueServiceClient): Promise<void> {
  for (const name of [IMAGES, JOBS]) await blobs.getContainerClient(name).createIfNotExists();
  for (const name of [JOBS, `${JOBS}-poison`]) await queues.getQueueClient(name).createIfNotExists();
}

/** Returns the ports of the last start if they are free, so that URLs in the stored data stay valid. */
async function portsOf(folder: string): Promise<Ports> {
  const file = join(folder, 'ports.json');
  const kept = v.safeParse(Ports, JSON.parse(await readFile(file, 'utf8').catch(() => 'null')));
  const ports = await freePorts(kept.success ? kept.output : USUAL_PORTS);
  await writeFile(file, JSON.stringify(ports));
  return ports;
}

/** Returns the given ports if they are free, or else other ones. */
async function freePorts([blob, queue]: Ports): Promise<Ports> {
  const servers = [createServer(), createServer()] as const;
  try {
    return [await listenOnFree(servers[0], blob), await listenOnFree(servers[1], queue)];
  } finally {
    // Close them only now, so that both services do not get the same port.
    await Promise.all(servers.map(async (server) => once(server.close(), 'close')));
  }
}

async function listenOnFree(server: Server, wished: number): Promise<number> {
  return listen(server, wished).catch(async () => listen(server, 0));
}

/** Resolves when all three services listen. Rejects with Azurite's output if it ends before. */
async function untilListening(child: ChildProcess): Promise<void> {
  let printed = '';
  let isReady = false;
  const tooLate = setTimeout(() => child.kill(), START_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding('utf8').on('data', (text: string) => {
          if (isReady) return;
          printed += text;
          isReady = (printed.match(/successfully listen/g) ?? []).length === 3;
          if (isReady) resolve();
        });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`Azurite did not start:\n${printed}`)));
    });
  } finally {
    clearTimeout(tooLate);
  }
}
