/** Small HTTP clients for tests: one request, over TCP or a unix socket. */
import { request } from "node:http";
import type { IncomingHttpHeaders, RequestOptions } from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on a connection of its own; rejects when the connection fails or is cut. */
export function ask(
  target: { readonly port: number } | { readonly socketPath: string },
  path: string,
  options: RequestOptions & { readonly body?: string | Buffer } = {},
): Promise<Answer> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const call = request(
      { host: "127.0.0.1", agent: false, ...target, ...rest, path },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("close", () => {
          if (!answer.complete) reject(new Error("The response was cut"));
        });
        answer.on("end", () => {
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: Buffer.concat(chunks).toString(),
          });
        });
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

/** The answer, or undefined when nobody answers at all. */
export async function tryAsk(port: number, path = "/"): Promise<Answer | undefined> {
  try {
    return await ask({ port }, path);
  } catch {
    return undefined;
  }
}
