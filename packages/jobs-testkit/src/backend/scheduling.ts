import assert from "node:assert/strict";
import type { JobBackend, ScheduleRule, StoredSchedule } from "@nidus/jobs-durable/backend";
import type { BackendKit } from "./backend-kit.ts";

/** A minute in winter: it does not come while the test runs. */
export const winter: ScheduleRule = { cron: "0 0 1 1 *", timeZone: "UTC" };

export type SchedulingBackend = JobBackend &
  Required<Pick<JobBackend, "schedule" | "unschedule" | "schedules">>;

/** Opens a backend, or returns undefined if it has no schedules. */
export async function openScheduling(kit: BackendKit): Promise<SchedulingBackend | undefined> {
  const backend = await kit.open();
  if (!backend.capabilities.schedules) return undefined;
  assert.ok(
    backend.schedule && backend.unschedule && backend.schedules,
    "`schedule`, `unschedule` and `schedules` are there",
  );
  return backend as SchedulingBackend;
}

export async function schedulesOf(
  backend: SchedulingBackend,
  name: string,
): Promise<readonly StoredSchedule[]> {
  return (await backend.schedules(undefined)).filter(({ jobName }) => jobName === name);
}
