/** Puts a server of this process at a unix path. Who may do what is decided per connection, so everybody may connect. */
import { lstatSync, unlinkSync } from "node:fs";
import type { Server } from "node:net";
import { TsgiError, messageOf } from "../core/errors.ts";
import { encodeUnix } from "../platform/socket-address.ts";

/** The caller holds the lock of the folder: a socket that is there was left by an emperor that is gone. */
export async function listenAtPath(server: Server, path: string): Promise<void> {
  encodeUnix(path);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isSocket()) {
    throw new TsgiError(
      "TSGI_LISTEN_FAILED",
      `Cannot create the socket "${path}": a file that is not a socket is there; move it away`,
    );
  }
  if (stats !== undefined) unlinkSync(path);
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen({ path, readableAll: true, writableAll: true }, () => {
    listening.resolve();
  });
  try {
    await listening.promise;
  } catch (cause) {
    const message = `Cannot create the socket "${path}": ${messageOf(cause)}`;
    throw new TsgiError("TSGI_LISTEN_FAILED", message, { cause });
  } finally {
    server.off("error", listening.reject);
  }
  // Running out of descriptors is no reason to end; the next accept may work.
  server.on("error", () => undefined);
}
