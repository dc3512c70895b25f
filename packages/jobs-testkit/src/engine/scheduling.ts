import assert from "node:assert/strict";
import type { JobEngine, JobSchedule, JobWithPayload } from "@nidus/jobs-durable";

/** Half an hour off most other zones, so that hours and minutes both show whether the engine used it. */
export const timeZone = "Asia/Kolkata";

/** Returns a cron expression for one second of a day in the time zone, some milliseconds from now, and that moment. */
function soon(inMs: number): { readonly cron: string; readonly dueMs: number } {
  const dueMs = Math.ceil(Date.now() / 1_000) * 1_000 + inMs;
  const format = new Intl.DateTimeFormat("en", {
    timeZone,
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
    hourCycle: "h23",
  });
  const { second, minute, hour } = Object.fromEntries(
    format.formatToParts(dueMs).map(({ type, value }) => [type, Number(value)]),
  );
  return { cron: `${second} ${minute} ${hour} * * *`, dueMs };
}

/** Lists the schedules of one job name. */
export async function schedulesOf(engine: JobEngine, name: string): Promise<readonly JobSchedule[]> {
  return (await engine.schedules()).filter(({ jobName }) => jobName === name);
}

/** Schedules a job for a moment that comes soon. On a busy machine, later. */
export async function scheduleSoon(
  engine: JobEngine,
  job: JobWithPayload<string>,
  payload: string,
): Promise<{ readonly cron: string; readonly dueMs: number }> {
  for (let inMs = 2_000; ; inMs *= 2) {
    const { cron, dueMs } = soon(inMs);
    await engine.schedule(job, cron, payload, { timeZone });
    const [schedule] = await schedulesOf(engine, job.name);
    if (schedule?.nextRunAt?.getTime() === dueMs) return { cron, dueMs };
    const expected = new Date(dueMs).toISOString();
    assert.ok(inMs < 30_000, `${cron} in ${timeZone} is due at ${schedule?.nextRunAt}, not at ${expected}`);
  }
}
