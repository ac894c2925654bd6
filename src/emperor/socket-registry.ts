/** Who owns which listening socket: created before the first spawn, kept across generations, closed when unused. */
import { messageOf, systemCode, TsgiError } from "../core/errors.ts";
import type { ListenAddress } from "../config/vassal-config.ts";
import type { OwnedSocket, Sockets } from "./ports.ts";

export interface HeldSocket {
  readonly fd: number;
  readonly address: ListenAddress;
}

interface Holding {
  readonly owner: string;
  readonly address: ListenAddress;
  readonly socket: OwnedSocket;
}

export class SocketRegistry {
  readonly #sockets: Pick<Sockets, "listen">;
  readonly #held = new Map<string, Holding>();

  constructor(sockets: Pick<Sockets, "listen">) {
    this.#sockets = sockets;
  }

  /** Sockets for all addresses, in order; ones that the vassal holds already are reused. All or nothing. */
  claim(owner: string, addresses: readonly ListenAddress[]): readonly HeldSocket[] {
    const opened: string[] = [];
    try {
      return addresses.map((address) => {
        const key = keyOf(owner, address);
        const held = this.#held.get(key);
        if (held?.owner === owner) return { fd: held.socket.fd, address };
        if (held !== undefined) throw taken(owner, address, held.owner);
        const socket = this.#listen(owner, address);
        this.#held.set(key, { owner, address, socket });
        opened.push(key);
        return { fd: socket.fd, address };
      });
    } catch (error) {
      for (const key of opened) this.#close(key);
      throw error;
    }
  }

  /** Closes everything of this vassal but `texts` (address texts). */
  keepOnly(owner: string, texts: readonly string[]): void {
    for (const [key, held] of this.#held) {
      if (held.owner === owner && !texts.includes(held.address.text)) this.#close(key);
    }
  }

  closeAll(): void {
    for (const key of this.#held.keys()) this.#close(key);
  }

  #listen(owner: string, address: ListenAddress): OwnedSocket {
    try {
      return this.#sockets.listen(address);
    } catch (error) {
      const rival = this.#rivalOf(owner, address);
      if (rival === undefined) throw error;
      const sentence = `${messageOf(error)} (vassal "${rival.owner}" listens on ${rival.address.text})`;
      throw new TsgiError("TSGI_LISTEN_FAILED", sentence, { cause: error });
    }
  }

  /** Another vassal on the same port of another host: 0.0.0.0 and 127.0.0.1 get into each other's way. */
  #rivalOf(owner: string, address: ListenAddress): Holding | undefined {
    if (address.kind !== "tcp") return undefined;
    return [...this.#held.values()].find(
      (held) =>
        held.owner !== owner && held.address.kind === "tcp" && held.address.port === address.port,
    );
  }

  #close(key: string): void {
    const held = this.#held.get(key);
    this.#held.delete(key);
    try {
      held?.socket.close();
    } catch (error) {
      // A path that somebody else removed or took over is not ours any more.
      if (systemCode(error) === undefined) throw error;
    }
  }
}

/** Port 0 is a port of its own for everybody who asks. */
function keyOf(owner: string, address: ListenAddress): string {
  if (address.kind === "unix") return `unix ${address.path}`;
  const own = address.port === 0 ? ` ${owner} ${address.text}` : "";
  return `tcp ${address.host} ${address.port}${own}`;
}

function taken(owner: string, address: ListenAddress, other: string): TsgiError {
  return new TsgiError(
    "TSGI_LISTEN_FAILED",
    `Cannot listen on ${address.text} for vassal "${owner}": vassal "${other}" has it already`,
  );
}
