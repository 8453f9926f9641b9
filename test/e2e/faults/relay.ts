import { connect, createServer, type Socket } from 'node:net';
import { listen } from '../../../src/dev/start/listen.ts';

/** What stands between an app and its Azure. */
export interface Relay {
  readonly port: number;
  /** Lets everything through again. What was open is cut, as by a network that comes back. */
  mend(): void;
  /**
   * Goes wrong from now on: connections are dropped at once, opened and left without an answer, or answered by
   * something that speaks no HTTP.
   */
  spoil(how: Spoilt): void;
  close(): void;
}

export type Spoilt = 'dropped' | 'mute' | 'babble';

/** Starts a relay to a port of this machine. */
export async function startRelay(target: number): Promise<Relay> {
  const open = new Set<Socket>();
  let spoilt: Spoilt | undefined;
  const keep = (socket: Socket): Socket => {
    open.add(socket.on('error', () => undefined).once('close', () => open.delete(socket)));
    return socket;
  };
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  const server = createServer((client) => {
    keep(client);
    if (spoilt === 'dropped') client.destroy();
    else if (spoilt === 'babble') client.end('220 mail.example.com ESMTP\r\n');
    else if (spoilt === undefined) join(client, keep(connect(target, '127.0.0.1')));
  });
  return {
    port: await listen(server, 0),
    mend() {
      if (spoilt) cut();
      spoilt = undefined;
    },
    spoil(how) {
      cut();
      spoilt = how;
    },
    close() {
      server.close();
      cut();
    },
  };
}

/** An end that comes to one comes to the other, whole or broken. */
function join(client: Socket, upstream: Socket): void {
  client.pipe(upstream).once('close', () => client.destroy());
  upstream.pipe(client).once('close', () => upstream.destroy());
}
