import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { App } from "./app.ts";
import { UserError } from "./user-error.ts";

/** How long open requests may take when the service stops, in milliseconds. */
const shutdownTimeoutMs = 10_000;

/** The HTTP side of the service. */
export interface Service extends AsyncDisposable {
  readonly url: string;
  /** Resolves when every open request has been answered, or after a time limit. */
  [Symbol.asyncDispose](): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/**
 * Serves an application on loopback.
 *
 * @throws (rejects with) UserError if the port cannot be used.
 */
export async function startService(app: App, port: number): Promise<Service> {
  const stopping = new AbortController();
  const page = app.page.handler();
  const routes: Readonly<Record<string, Handler>> = {
    "GET /": (_, response) => response.writeHead(302, { Location: "jobs/" }).end(),
    "GET /metrics": app.observability.metricsHandler(),
    "GET /healthz": (_, response) =>
      stopping.signal.aborted ? answer(response, 503, "stopping") : answer(response, 200, "ok"),
    "POST /digests": async (_, response) => {
      if (stopping.signal.aborted) return answer(response, 503, "stopping");
      const { runId, jobs, duplicates } = await app.enqueueRun(stopping.signal);
      answer(response, 202, "enqueued", { runId, jobs, duplicates, page: "/jobs/" });
    },
  };

  const server = createServer(async (request, response) => {
    if (!isFromHere(request)) return answer(response, 403, "pages of other origins are refused");
    const path = request.url?.split("?")[0] ?? "";
    if (/^\/jobs(\/|$)/.test(path)) return void page(request, response);
    // No other route reads a body.
    request.resume();
    const method = request.method === "HEAD" ? "GET" : request.method;
    const handle = routes[`${method} ${path}`];
    if (handle === undefined) return answer(response, 404, "not found");
    try {
      await handle(request, response);
    } catch (error) {
      answer(response, 500, error instanceof Error ? error.message : "the jobs could not be enqueued");
    }
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`cannot listen on 127.0.0.1:${port} (${error.code})`, { cause: error });
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      app.page.shutdown();
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      const deadline = setTimeout(() => server.closeAllConnections(), shutdownTimeoutMs);
      await closed;
      clearTimeout(deadline);
    },
  };
}

/** Tells whether a request names this machine and comes from no page of another origin. Programs send no origin. */
function isFromHere({ headers }: IncomingMessage): boolean {
  const { host = "", origin, "sec-fetch-site": site = "none" } = headers;
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host)) return false;
  if (origin !== undefined && origin !== `http://${host}`) return false;
  return site === "none" || site === "same-origin";
}

function answer(response: ServerResponse, code: number, status: string, more: object = {}): void {
  // An answer while the service stops is the last one of its connection.
  response.writeHead(code, { "Content-Type": "application/json; charset=utf-8", Connection: "close" });
  response.end(`${JSON.stringify({ status, ...more })}\n`);
}
