import type { JobBackend, LeasedJob } from "@nidus/jobs-durable/backend";
import type { BackendKit } from "./backend-kit.ts";
import type { TestedConsumer } from "./tested-consumer.ts";

/** How often a test of leases is repeated, each time with leases that are twice as long. */
const tries = 4;

const tickMs = 50;

/** Renews leases until it is stopped, as a living worker does. */
interface Renewing {
  stop(): void;
}

/** The tools of a test of leases: a length for them, and a way to renew them. */
export interface LeaseTest {
  readonly leaseMs: number;
  renew(consumer: TestedConsumer, backend: JobBackend, jobs: readonly LeasedJob[]): Renewing;
}

/**
 * Runs a test in which leases end. If it fails on a machine that was too busy to renew leases in time, the failure says nothing:
 * the test runs again with longer ones.
 */
export async function withShortLeases(
  kit: BackendKit,
  body: (test: LeaseTest) => Promise<void>,
): Promise<void> {
  let { leaseMs } = kit.fixtures;
  for (let left = tries - 1; ; left--) {
    const renewals: NodeJS.Timeout[] = [];
    let longestGapMs = 0;
    const watch = (lastMs: number): number => {
      const nowMs = performance.now();
      longestGapMs = Math.max(longestGapMs, nowMs - lastMs);
      return nowMs;
    };
    let tickedMs = performance.now();
    renewals.push(
      setInterval(() => {
        tickedMs = watch(tickedMs);
      }, tickMs),
    );
    try {
      await body({
        leaseMs,
        renew(consumer, backend, jobs) {
          let renewedMs = performance.now();
          const timer = setInterval(async () => {
            await consumer.consumer.renewLeases(jobs).catch(kit.onError);
            renewedMs = watch(renewedMs);
          }, backend.leaseMs / 5);
          renewals.push(timer);
          return { stop: () => clearInterval(timer) };
        },
      });
      return;
    } catch (error) {
      if (left === 0 || longestGapMs < leaseMs / 2) throw error;
    } finally {
      for (const timer of renewals) clearInterval(timer);
    }
    leaseMs *= 2;
  }
}
