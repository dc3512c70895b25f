import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { MetricsHandler } from "@nidus/observability";
import type { DigestRunReport } from "./digest-run.ts";
import type { DigestsReport } from "./send-all.ts";

/** The parts that the service answers with. */
export interface ServiceOptions {
  readonly metrics: MetricsHandler;
  /** Aborted when the service should stop. */
  readonly stopping: AbortSignal;
  readonly runDigests: () => Promise<DigestRunReport>;
}

/** Makes the HTTP server of the service, not yet listening. It runs the digests once at a time. */
export function createService({ metrics, stopping, runDigests }: ServiceOptions): Server {
  let isRunning = false;

  const postDigests: Handler = async (_request, response) => {
    if (stopping.aborted) return answer(response, 503, { error: "the service is stopping" });
    if (isRunning) return answer(response, 409, { error: "the digests are already running" });
    isRunning = true;
    try {
      const { reindex, digests } = await runDigests();
      answer(response, digests.wasAborted ? 503 : 200, {
        reindex: outline(reindex),
        digests: outline(digests),
      });
    } catch (error) {
      answer(response, 500, {
        error: error instanceof Error ? error.message : "the digests could not be run",
      });
    } finally {
      isRunning = false;
    }
  };

  const getHealth: Handler = async (_request, response) =>
    stopping.aborted
      ? answer(response, 503, { status: "stopping" })
      : answer(response, 200, { status: "ok" });

  const routes = new Map<
    string,
    { readonly methods: readonly string[] | undefined; readonly handle: Handler }
  >([
    ["/digests", { methods: ["POST"], handle: postDigests }],
    ["/healthz", { methods: ["GET", "HEAD"], handle: getHealth }],
    // The handler checks the method itself.
    ["/metrics", { methods: undefined, handle: metrics }],
  ]);

  const server = createServer((request, response) => {
    // No route reads a body.
    request.resume();
    if (!isFromHere(request))
      return answer(response, 403, { error: "requests from pages of other origins are refused" });
    // An answer while the service stops is the last one of its connection, which is idle a moment later.
    response.once("close", () => stopping.aborted && setImmediate(() => server.closeIdleConnections()));
    const route = routes.get(request.url?.split("?")[0] ?? "");
    if (route === undefined) return answer(response, 404, { error: "not found" });
    if (route.methods?.includes(request.method ?? "") === false) {
      const allowed = route.methods.join(", ");
      response.setHeader("Allow", allowed);
      return answer(response, 405, { error: `use ${allowed}` });
    }
    void route.handle(request, response);
  });
  return server;
}

/** The names of this machine. A page of another site cannot have one of them, whatever its address. */
const ownNames = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i;

/** Tells whether a request names this machine and comes from no page of another origin. Programs send no origin. */
function isFromHere({ headers }: IncomingMessage): boolean {
  const { host = "", origin, "sec-fetch-site": site = "none" } = headers;
  if (!ownNames.test(host)) return false;
  if (origin !== undefined && origin !== `http://${host}`) return false;
  return site === "none" || site === "same-origin";
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function outline({ completed, failed, cancelled, notStarted, wasAborted }: DigestsReport): object {
  return {
    completed: completed.length,
    failed: failed.map(({ jobName, error }) => ({ jobName, reason: error.message })),
    cancelled: cancelled.length,
    notStarted: notStarted.length,
    wasAborted,
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json; charset=utf-8" });
  response.end(`${JSON.stringify(body)}\n`);
}
