import type { EngineReader } from "../engines/engine-reader.ts";
import type { PageModel } from "../views/page-model.ts";
import type { Action, ActionResult } from "../wire-stored.ts";

/** How many jobs one request changes at most. The page repeats it, and shows how far it is. */
const maxAtOnce = 200;

/** How many ids are changed at the same time. */
const parallel = 10;

/** An action that cannot be done, with the status that says so. */
export class ActionError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Does what the page asks for.
 *
 * @throws (rejects with) ActionError for a wrong request; what the engine rejects with.
 */
export async function act(model: PageModel, body: unknown): Promise<ActionResult> {
  const action = requireAction(body);
  const reader = model.readers.get(action.engine);
  if (reader === undefined) throw new ActionError(404, "the page watches no such engine");
  try {
    return await doIt(reader, action);
  } finally {
    reader.expire();
  }
}

async function doIt({ engine }: EngineReader, action: Action): Promise<ActionResult> {
  switch (action.type) {
    case "cancel":
    case "redrive":
      return { done: await each(action.ids, (id) => engine[action.type](id)), hasMore: false };
    case "reschedule": {
      if (engine.reschedule === undefined) throw unsupported();
      return { done: Number(await engine.reschedule(action.id, new Date(action.runAt))), hasMore: false };
    }
    case "cancel-all": {
      if (engine.cancelAll === undefined) throw unsupported();
      const done = await engine.cancelAll({ jobName: action.jobName, limit: maxAtOnce });
      return { done, hasMore: done >= maxAtOnce };
    }
    case "redrive-all": {
      if (engine.redriveAll === undefined) throw unsupported();
      const { jobName, error } = action;
      const query = {
        ...(jobName !== null && { jobName }),
        ...(error !== null && { error }),
        limit: maxAtOnce,
      };
      const done = await engine.redriveAll(query);
      return { done, hasMore: done >= maxAtOnce };
    }
  }
}

async function each(ids: readonly string[], change: (id: string) => Promise<boolean>): Promise<number> {
  let done = 0;
  const left = [...new Set(ids)];
  const work = async (): Promise<void> => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) if (await change(id)) done++;
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return done;
}

function unsupported(): ActionError {
  return new ActionError(404, "the engine cannot do this");
}

/** @throws ActionError for anything that is no action. */
function requireAction(body: unknown): Action {
  const { type, engine, ids, id, jobName, error, runAt } = (body ?? {}) as Record<string, unknown>;
  if (!isText(engine)) throw invalid("`engine`");
  switch (type) {
    case "cancel":
    case "redrive":
      if (!Array.isArray(ids) || ids.length === 0 || ids.length > maxAtOnce || !ids.every(isText))
        throw invalid("`ids`");
      return { type, engine, ids };
    case "reschedule":
      if (!isText(id)) throw invalid("`id`");
      if (typeof runAt !== "number" || !(runAt >= 0 && runAt < 253_402_300_800_000)) throw invalid("`runAt`");
      return { type, engine, id, runAt };
    case "cancel-all":
      if (!isText(jobName)) throw invalid("`jobName`");
      return { type, engine, jobName };
    case "redrive-all":
      if (!(jobName === null || isText(jobName))) throw invalid("`jobName`");
      if (!(error === null || isText(error))) throw invalid("`error`");
      return { type, engine, jobName, error };
    default:
      throw invalid("`type`");
  }
}

function invalid(field: string): ActionError {
  return new ActionError(400, `${field} is missing or invalid`);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= 2_000;
}
