import { connect, createServer, type Socket } from 'node:net';
import { listen } from '../../../src/dev/start/listen.ts';

/** Forwards connections from an app to its emulated Azure. */
export interface Relay {
  readonly port: number;
  /** Lets everything through again. Open connections are cut, as when a network comes back. */
  mend(): void;
  /**
   * From now on, connections are dropped at once (`dropped`), accepted but never answered (`mute`), or answered in
   * another protocol than HTTP (`babble`).
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

/** Connects both sides. If one ends or breaks, the other is closed, too. */
function join(client: Socket, upstream: Socket): void {
  client.pipe(upstream).once('close', () => client.destroy());
  upstream.pipe(client).once('close', () => upstream.destroy());
}
