import { hostname } from "node:os";
import type { WatchedQuery } from "../engines/watched-engine.ts";
import type { SessionView } from "../wire.ts";
import { enginesView } from "./engines.ts";
import { failuresView } from "./failures.ts";
import { jobView } from "./job.ts";
import { overviewView } from "./overview.ts";
import type { PageModel } from "./page-model.ts";
import { runningView, runView } from "./runs.ts";
import { schedulesView } from "./schedules.ts";
import { payloadView, storedJobsView, storedJobView } from "./stored.ts";

/** Makes the JSON of a view, from the parameters of its URL. */
export type View = (model: PageModel, parameters: URLSearchParams) => unknown;

/** The longest parameter, in characters. Ids and names in stores are shorter. */
const maxParameter = 2_000;

const listedStates = new Set(["scheduled", "waiting", "running", "succeeded", "dead-lettered", "cancelled"]);

/** The views by the last part of their address. */
export const views: ReadonlyMap<string, View> = new Map<string, View>([
  ["overview", overviewView],
  ["failures", failuresView],
  ["running", runningView],
  ["engines", enginesView],
  ["schedules", schedulesView],
  ["job", (model, parameters) => jobView(model, text(parameters, "name"))],
  ["run", (model, parameters) => runView(model, text(parameters, "job"), text(parameters, "id"))],
  ["jobs", (model, parameters) => storedJobsView(model, text(parameters, "engine"), queryOf(parameters))],
  ["stored", (model, parameters) => storedJobView(model, text(parameters, "engine"), text(parameters, "id"))],
  ["payload", (model, parameters) => payloadView(model, text(parameters, "engine"), text(parameters, "id"))],
]);

function text(parameters: URLSearchParams, key: string): string {
  return parameters.get(key)?.slice(0, maxParameter) ?? "";
}

function queryOf(parameters: URLSearchParams): WatchedQuery {
  const jobName = text(parameters, "job");
  const state = text(parameters, "state");
  const cursor = text(parameters, "cursor");
  return {
    ...(jobName !== "" && { jobName }),
    ...(listedStates.has(state) && { state: state as NonNullable<WatchedQuery["state"]> }),
    ...(cursor !== "" && { cursor }),
  };
}

/** Says what the page can show to a caller. */
export function sessionView(model: PageModel, access: "read" | "operate"): SessionView {
  const { process: activity, readers } = model;
  const watched = new Set([...readers.values()].map(({ engine }) => engine.name));
  return {
    title: model.title,
    now: Date.now(),
    access,
    process: activity.isFed
      ? { service: activity.service ?? null, pid: process.pid ?? 0, host: hostname() }
      : null,
    engines: [...readers.values()].map(({ identity }) => identity),
    unwatched: [...activity.engines].filter((name) => !watched.has(name)),
    showsPayloads: model.canShowPayloads,
  };
}
