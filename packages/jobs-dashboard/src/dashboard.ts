import { invalidArgument } from "@nidus/jobs-core/adapter";
import type { JobObserver } from "@nidus/jobs-observe";
import type { WatchedEngine } from "./engines/watched-engine.ts";
import { type DashboardHandler, nodeHandler } from "./http/node-handler.ts";
import { Page } from "./http/page.ts";
import { type JobDashboardOptions, requireDashboardOptions } from "./options.ts";
import { PageModel } from "./views/page-model.ts";

/** The client of a request that is passed to `fetch`. */
export interface DashboardClient {
  /** The address at the other end of the socket, such as "127.0.0.1". */
  readonly remoteAddress?: string | undefined;
}

/** A live page of jobs. It is an adapter of `@nidus/observability`: `production("users-api").with(page)`. */
export interface JobDashboard {
  /** The name of the adapter. */
  readonly name: "dashboard";
  /** Makes an observer that feeds the page with every run of this process. */
  jobObserver(service?: { readonly serviceName: string }): JobObserver;
  /**
   * Shows the jobs that an engine has stored. The page reads it while a browser is open, at most once a second for all viewers.
   *
   * @throws TypeError for a value that is no engine.
   */
  watch(engine: WatchedEngine): void;
  /**
   * Answers a request: for Hono, Next.js, Bun, Deno and others that use `Request` and `Response`. Never rejects.
   *
   * A `Request` does not say from which machine it comes. Without `authorize`, the page answers 403 unless you pass a loopback
   * `remoteAddress`, which you must take from the socket and not from a header.
   */
  fetch(request: Request, client?: DashboardClient): Promise<Response>;
  /** Makes a handler for `node:http`, Express, Koa, NestJS and Fastify's raw objects. */
  handler(): DashboardHandler;
  /** Ends the open connections of browsers, so that a server can close. The page still answers single requests. */
  shutdown(): void;
}

/**
 * Makes a page that shows jobs: those that run in this process and those that engines have stored. It does nothing until a request
 * comes, apart from keeping the latest runs in bounded memory.
 *
 * @throws TypeError for an option that is not as documented, or not known.
 */
export function jobDashboard(options: JobDashboardOptions = {}): JobDashboard {
  return dashboardWith(options, "operate");
}

/** Makes a page on which requests from this machine may do `localAccess`, if there is no `authorize`. */
export function dashboardWith(options: JobDashboardOptions, localAccess: "read" | "operate"): JobDashboard {
  requireDashboardOptions(options);
  const model = new PageModel(options);
  const page = new Page(model, options.authorize, localAccess);
  return {
    name: "dashboard",
    jobObserver(service) {
      model.process.service ??= service?.serviceName;
      return model.process.observer();
    },
    watch(engine) {
      if (typeof engine?.stats !== "function" || typeof engine.deadLetters !== "function") {
        throw invalidArgument("`engine`", "a JobEngine", engine);
      }
      model.watch(engine);
    },
    fetch: (request, client) => page.answer(request, { remoteAddress: client?.remoteAddress }),
    handler: () => nodeHandler((request, connection) => page.answer(request, connection)),
    shutdown: () => page.streams.end(),
  };
}
