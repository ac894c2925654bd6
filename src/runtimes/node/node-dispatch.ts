/** Runs (req, res) applications for an exchange: a plain listener, or the 'request' event of an http.Server. */
import { createServer, IncomingMessage, ServerResponse } from "node:http";
import type { RequestListener, Server } from "node:http";
import { channel } from "node:diagnostics_channel";
import type { Exchange } from "../../server/exchange.ts";
import type { Dispatch } from "./flights.ts";
import { adoptPrototype } from "./adopt-prototype.ts";
import { NodeRequest } from "./node-request.ts";
import { NodeResponse } from "./node-response.ts";

// Node's own channels: what traces applications listens here (Node documentation, "diagnostics_channel").
const requestStart = channel("http.server.request.start");
const responseFinish = channel("http.server.response.finish");

/** The events of `server`, which is never bound to anything. */
export function createServerDispatch(server: Server, report: (error: unknown) => void): Dispatch {
  adoptPrototypes();
  const over = (response: NodeResponse): void => {
    const { req: request } = response;
    if (responseFinish.hasSubscribers) {
      responseFinish.publish({ request, response, socket: request.exchange.socket, server });
    }
    request.flight.end();
  };
  return (exchange, flight) => {
    const request = new NodeRequest(exchange, flight);
    const response = new NodeResponse(request, over);
    if (requestStart.hasSubscribers) {
      requestStart.publish({ request, response, socket: exchange.socket, server });
    }
    const event =
      exchange.head.expectsContinue && server.listenerCount("checkContinue") > 0
        ? "checkContinue"
        : "request";
    try {
      if (!server.emit(event, request, response)) {
        exchange.fail(500, `nobody listens to '${event}' of the server`);
      }
    } catch (error) {
      failed(exchange, error, report);
    }
  };
}

/** A plain listener. Unlike in Node, an exception or a rejected promise costs one request, not the process. */
export function createListenerDispatch(
  listener: RequestListener,
  report: (error: unknown) => void,
): Dispatch {
  // Some applications look for `req.socket.server` or `this`: they get a server that is never bound.
  const server = createServer();
  server.on("request", (request: NodeRequest, response: NodeResponse) => {
    const result: unknown = listener.call(server, request, response);
    if (result instanceof Promise) {
      result.catch((error: unknown) => failed(request.exchange, error, report));
    }
  });
  return createServerDispatch(server, report);
}

let isAdopted = false;

function adoptPrototypes(): void {
  if (isAdopted) return;
  isAdopted = true;
  adoptPrototype(NodeRequest.prototype, IncomingMessage.prototype, (value) =>
    NodeRequest.owns(value),
  );
  adoptPrototype(NodeResponse.prototype, ServerResponse.prototype, (value) =>
    NodeResponse.owns(value),
  );
}

function failed(exchange: Exchange, error: unknown, report: (error: unknown) => void): void {
  report(error);
  if (!exchange.done) exchange.fail(500, "the listener failed");
}
