import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { EngineUnavailableError } from "@nidus/jobs-durable";
import type { App } from "./app.ts";

/** How long open requests may take when the service stops. */
const shutdownTimeoutMs = 10_000;

/**
 * Serves an application on loopback.
 *
 * @throws (rejects with) Error if the port cannot be used.
 */
export async function startService(app: App, port: number) {
  const stopping = new AbortController(); // from then on, /healthz and /digests answer 503
  /** By the first part of the path. */
  const routes = new Map<string, (request: IncomingMessage, response: ServerResponse) => unknown>([
    ["", (_, response) => response.writeHead(302, { Location: "jobs/" }).end()],
    ["jobs", app.page.handler()],
    ["metrics", app.observability.metricsHandler()],
    ["healthz", app.observability.healthHandler({ engines: [app.engine] })],
    [
      "digests",
      async ({ method }, response) => {
        if (method !== "POST") return answer(response, 405, { status: "expected POST" });
        const run = await app.enqueueRun(stopping.signal);
        answer(response, 202, { status: "enqueued", ...run, page: "/jobs/" });
      },
    ],
  ]);
  const server = createServer(async (request, response) => {
    if (!isFromHere(request)) return answer(response, 403, { status: "pages of other origins are refused" });
    const [, first = ""] = request.url?.split(/[/?]/) ?? [];
    if (stopping.signal.aborted && /^(healthz|digests)$/.test(first))
      return answer(response, 503, { status: "stopping" });
    try {
      const handle = routes.get(first);
      if (handle === undefined) answer(response, 404, { status: "not found" });
      else await handle(request, response);
    } catch (error) {
      const isAway = [error, (error as Error).cause].some(EngineUnavailableError.isInstance);
      answer(response, isAway ? 503 : 500, { status: (error as Error).message });
    }
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`cannot listen on 127.0.0.1:${port} (${error.code})`, { cause: error });
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stopping,
    /** Resolves when every open request has been answered, or after a time limit. */
    async [Symbol.asyncDispose]() {
      stopping.abort();
      app.page.shutdown();
      setTimeout(() => server.closeAllConnections(), shutdownTimeoutMs).unref();
      await once(server.close(), "close");
    },
  };
}

/** Tells whether a request names this machine and comes from no page of another origin. Programs send no origin. */
function isFromHere({ headers }: IncomingMessage): boolean {
  const { host = "", origin, "sec-fetch-site": site = "none" } = headers;
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host)) return false;
  return (site === "none" || site === "same-origin") && (origin ?? `http://${host}`) === `http://${host}`;
}

function answer(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { "Content-Type": "application/json; charset=utf-8" });
  response.end(`${JSON.stringify(body)}\n`);
}
