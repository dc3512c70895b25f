import type { IncomingMessage, ServerResponse } from "node:http";
import { ReadableStream } from "node:stream/web";
import type { Connection } from "./access.ts";
import { refused } from "./answers.ts";

/** Handles requests of `node:http`, Express, Koa, NestJS, and the raw objects of Fastify. The promise that it returns never rejects. */
export type DashboardHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Makes the handler of a page. */
export function nodeHandler(
  answer: (request: Request, connection: Connection) => Promise<Response>,
): DashboardHandler {
  return async (incoming, outgoing) => {
    const aborted = new AbortController();
    outgoing.once("close", () => aborted.abort());
    const request = requestOf(incoming, aborted.signal);
    const { remoteAddress } = incoming.socket;
    const response =
      typeof request === "string"
        ? refused(400, request)
        : await answer(request, { remoteAddress, httpVersion: incoming.httpVersion });
    await send(response, incoming, outgoing);
    // Reads the rest of the body, as Node's server does with a body that is not read, for as long as its `requestTimeout` allows. The
    // next request of the connection comes after it.
    incoming.removeAllListeners("readable").resume();
  };
}

/** Returns what is wrong instead, if the request has no form as a `Request`. */
function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request | string {
  const { method = "GET", headers, url } = incoming;
  // Express leaves the whole path here if the page is mounted.
  const { originalUrl = url } = incoming as { originalUrl?: string };
  const fields = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    name.startsWith(":") || value === undefined ? [] : [value].flat().map((each) => [name, each]),
  );
  const isBodiless = method === "GET" || method === "HEAD";
  if (!isBodiless && incoming.readableDidRead && (incoming as { body?: unknown }).body === undefined) {
    return "the body was read before the page got the request: mount the page first, or leave the body in `request.body`";
  }
  try {
    // The path alone comes from the request: the host is not needed, and may be anything.
    const address = new URL(`http://localhost${originalUrl?.startsWith("/") ? originalUrl : "/"}`);
    const body = isBodiless ? null : bodyOf(incoming);
    return new Request(address, { method, headers: fields, signal, body, duplex: "half" } as RequestInit);
  } catch {
    return "the method, the address or a header of the request is not valid";
  }
}

/** Returns the body, also if a body parser such as `express.json()` has read it. */
function bodyOf(incoming: IncomingMessage): string | ReadableStream {
  const { body } = incoming as { body?: unknown };
  // `Readable.toWeb` would destroy a request whose body is too large, and the rest of the body could not be read.
  if (!incoming.readableEnded || body === undefined)
    return ReadableStream.from(incoming.iterator({ destroyOnReturn: false }));
  return typeof body === "string" || Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body);
}

async function send(response: Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  // Code in front of this handler, such as a timeout, has answered first.
  if (outgoing.headersSent || outgoing.destroyed) {
    await response.body?.cancel();
    return;
  }
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  const reader = response.body?.getReader();
  if (reader === undefined || incoming.method === "HEAD") {
    await reader?.cancel();
    outgoing.end();
    return;
  }
  const cancel = (): void => void reader.cancel().catch(() => {});
  outgoing.once("close", cancel);
  outgoing.flushHeaders();
  for (;;) {
    const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
    if (done || outgoing.destroyed) break;
    if (!outgoing.write(value)) await drained(outgoing);
  }
  outgoing.end();
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      outgoing.off("drain", go).off("close", go);
      resolve();
    };
    outgoing.on("drain", go).on("close", go);
  });
}
