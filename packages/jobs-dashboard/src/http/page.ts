import { formatValue, warn } from "@nidus/jobs-core/adapter";
import { appScript, appStyle, assetTag, indexHtml } from "../browser-assets.ts";
import { errorMessageOf } from "../error-message.ts";
import type { DashboardAccess, JobDashboardOptions } from "../options.ts";
import type { PageModel } from "../views/page-model.ts";
import { sessionView, views } from "../views/views.ts";
import { type Connection, isLocal, writeRefusal } from "./access.ts";
import { ActionError, act } from "./actions.ts";
import { answer, json, refused } from "./answers.ts";
import { Streams } from "./streams.ts";

/** The largest body of an action, in bytes. */
const maxBody = 65_536;

const assets: ReadonlyMap<string, readonly [contentType: string, text: string]> = new Map([
  ["app.js", ["text/javascript; charset=utf-8", appScript]],
  ["app.css", ["text/css; charset=utf-8", appStyle]],
]);

const howToAllow =
  "This page answers requests from this machine alone, and none that a proxy passed on or a page of another site sent. " +
  "To show it to others, decide who may see it: " +
  "jobDashboard({ authorize: (request) => … }).";

/** Answers the requests of the page. */
export class Page {
  readonly #model: PageModel;
  readonly #authorize: JobDashboardOptions["authorize"];
  readonly #localAccess: "read" | "operate";
  readonly streams: Streams;
  #silentUntilMs = 0;

  constructor(
    model: PageModel,
    authorize: JobDashboardOptions["authorize"],
    localAccess: "read" | "operate",
  ) {
    this.#model = model;
    this.#authorize = authorize;
    this.#localAccess = localAccess;
    this.streams = new Streams(model);
  }

  /** Never rejects. */
  async answer(request: Request, connection: Connection): Promise<Response> {
    try {
      const access = await this.#accessOf(request, connection);
      if (access === "none") {
        return refused(403, this.#authorize === undefined ? howToAllow : "You may not see this page.");
      }
      return await this.#route(request, access);
    } catch (error) {
      this.#warn(error);
      return refused(500, "The page could not answer. The service's log has the reason.");
    }
  }

  async #accessOf(request: Request, connection: Connection): Promise<DashboardAccess> {
    if (this.#authorize === undefined) return isLocal(request, connection) ? this.#localAccess : "none";
    const access: unknown = await this.#authorize(request);
    return access === "read" || access === "operate" ? access : "none";
  }

  /** Warns once a minute at most: strangers may send requests without end. */
  #warn(error: unknown): void {
    if (performance.now() < this.#silentUntilMs) return;
    this.#silentUntilMs = performance.now() + 60_000;
    warn(`the jobs page could not answer a request: ${formatValue(error)}`);
  }

  async #route(request: Request, access: "read" | "operate"): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    // The page may be mounted anywhere, and behind a proxy that removes a prefix. So only the end of the path counts.
    const endpoint = /(?:^|\/)api\/([^/]*)$/.exec(pathname)?.[1];
    if (endpoint === "actions") return this.#act(request, access);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return refused(405, "expected GET or HEAD", { Allow: "GET, HEAD" });
    }
    if (endpoint === "session") return json(sessionView(this.#model, access));
    if (endpoint === "stream") {
      return this.streams.open(searchParams.get("view") ?? "", request);
    }
    if (endpoint !== undefined) {
      const view = views.get(endpoint);
      return view === undefined
        ? json({ error: "there is no such view" }, 404)
        : json(await view(this.#model, searchParams));
    }
    return pageFile(request, pathname);
  }

  async #act(request: Request, access: DashboardAccess): Promise<Response> {
    if (request.method !== "POST") return refused(405, "expected POST", { Allow: "POST" });
    if (access !== "operate") return json({ error: "you may only read" }, 403);
    const refusal = writeRefusal(request);
    if (refusal !== undefined) return json({ error: refusal }, 403);
    try {
      const result = await act(this.#model, JSON.parse(await boundedText(request)));
      this.streams.refresh();
      return json(result);
    } catch (error) {
      if (error instanceof ActionError) return json({ error: error.message }, error.status);
      if (error instanceof SyntaxError) return json({ error: "the body is no JSON" }, 400);
      return json({ error: errorMessageOf(error) }, 502);
    }
  }
}

/** Answers with a file of the page: the document itself, its script or its style. */
function pageFile(request: Request, pathname: string): Response {
  const last = pathname.slice(pathname.lastIndexOf("/") + 1);
  // Relative addresses within the page need the slash. With `./`, a name such as "https:example" is no address of another site.
  if (last !== "" && !last.includes(".")) {
    return answer(302, "text/plain; charset=utf-8", "", { Location: `./${last}/` });
  }
  const [contentType, text] =
    last === "" ? (["text/html; charset=utf-8", indexHtml] as const) : (assets.get(last) ?? []);
  if (contentType === undefined || text === undefined) return refused(404, "there is no such page");
  const headers = { ETag: assetTag, "Cache-Control": "no-cache" };
  return isKnown(request) ? answer(304, contentType, null, headers) : answer(200, contentType, text, headers);
}

/** Tells whether the browser has this version of the files. Its tags may be a list, and weak: a compressing proxy makes them so. */
function isKnown({ headers }: Request): boolean {
  const tags = (headers.get("if-none-match") ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(assetTag) || tags.includes("*");
}

/** Reads a body. @throws (rejects with) ActionError if it is too large, or if it was read before. */
async function boundedText(request: Request): Promise<string> {
  if (request.bodyUsed) {
    throw new ActionError(
      500,
      "the body was read before: an `authorize` that needs it reads `request.clone()`",
    );
  }
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBody) throw new ActionError(413, `expected a body of at most ${maxBody} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
