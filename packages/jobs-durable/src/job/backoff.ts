import type { JobBackoff } from "./durable-job.ts";

/** Milliseconds to wait after a failed attempt: exponential, half of it random, so that jobs that failed together come back apart. */
export function backoffMs(
  { baseMs, maxMs }: JobBackoff,
  attempt: number,
  random: number = Math.random(),
): number {
  const fullMs = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
  return Math.ceil(fullMs / 2 + (fullMs / 2) * random);
}

/** How long an unreachable server is left alone before the next try: longer from time to time. */
export const outage: JobBackoff = { baseMs: 250, maxMs: 5_000 };
