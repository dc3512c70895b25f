import { job } from "@nidus/jobs-core";
import { type JobDashboard, jobDashboard } from "@nidus/jobs-dashboard";
import {
  type DurableJob,
  defineJob,
  type JobEngine,
  memoryEngine,
  PermanentJobError,
} from "@nidus/jobs-durable";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { production } from "@nidus/observability";

/** A service that is busy and has some trouble, and its page. */
export interface Scene {
  readonly page: JobDashboard;
  close(): Promise<void>;
}

/** Waits, unless the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Returns a whole number from 0 that looks random and is the same in each run of the script. */
let seed = 7;
function roll(below: number): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
}

const names = ["ada", "grace", "edsger", "barbara", "donald", "frances", "tony", "margaret"];

/** Starts the scene, and resolves once there is something to see. */
export async function startScene(): Promise<Scene> {
  const page = jobDashboard({
    authorize: () => "operate",
    redact: ({ attributes, payload }) => ({ attributes, payload }),
    traceUrl: "https://traces.example.com/trace/{traceId}",
  });
  const observability = production("users-api").with(page);
  const runner = observability.jobRunner().context({ region: "eu-central" });
  const engine = memoryEngine({ runner });
  page.watch(engine);
  replayHour(runner);
  const jobs = jobsOf();
  const workers = await Promise.all([
    engine.work({
      jobs: [jobs.sendDigest, jobs.chargeCard, jobs.resizeAvatar, jobs.syncCrm],
      concurrency: 12,
    }),
    engine.work({ jobs: [jobs.exportAccount], concurrency: 3 }),
  ]);
  await fill(engine, jobs);
  await engine.schedule(jobs.syncCrm, { everyMs: 900_000 }, { account: 0 });
  await engine.schedule(
    jobs.sendDigest,
    "0 7 * * 1-5",
    { to: "ada" },
    { timeZone: "Europe/Vienna", key: "weekdays" },
  );
  return {
    page,
    async close() {
      page.shutdown();
      await Promise.all(workers.map((worker) => worker.stop({ graceMs: 0, abortMs: 100 })));
      await engine.close();
    },
  };
}

/** How often a job runs in a minute, how long a run takes at most, and in which minutes it fails how often. */
interface Habit {
  readonly name: string;
  readonly perMinute: (minute: number) => number;
  readonly maxMs: number;
  readonly failsOneIn?: (minute: number) => number | undefined;
  readonly message?: () => string;
}

const habits: readonly Habit[] = [
  {
    name: "send_digest",
    perMinute: (minute) => 24 + Math.round(14 * Math.sin(minute / 7)) + roll(8),
    maxMs: 70,
    failsOneIn: () => 60,
    message: () => `connect ETIMEDOUT 10.2.0.${roll(200)}:587`,
  },
  {
    name: "charge_card",
    perMinute: () => 5 + roll(6),
    maxMs: 110,
    failsOneIn: (minute) => (minute > 47 ? 3 : 45),
    message: () => `payment provider answered 502 for order ${10_200 + roll(200)}`,
  },
  { name: "resize_avatar", perMinute: (minute) => (minute % 10 < 3 ? 40 + roll(30) : roll(6)), maxMs: 24 },
  { name: "sync_crm", perMinute: () => 1 + roll(3), maxMs: 440 },
  { name: "refresh_cache", perMinute: () => 12, maxMs: 9 },
  { name: "export_account", perMinute: (minute) => (minute % 13 === 0 ? 1 : 0), maxMs: 520 },
  { name: "prune_sessions", perMinute: (minute) => (minute % 15 === 0 ? 1 : 0), maxMs: 1_900 },
];

/** Runs an hour of jobs in a moment: the monotonic clock jumps ahead, so that these runs lie in the past. */
function replayHour(runner: ObservedJobRunner): void {
  const realNow = performance.now.bind(performance);
  let aheadMs = 0;
  performance.now = () => realNow() + aheadMs;
  for (let minute = 0; minute < 59; minute++) {
    const endMs = aheadMs + 60_000;
    for (const { name, perMinute, maxMs, failsOneIn, message } of habits) {
      for (let left = perMinute(minute); left > 0; left--) {
        const oneIn = failsOneIn?.(minute);
        const replayed = job(name, () => {
          aheadMs += 1 + roll(maxMs * 10) / 10;
          if (oneIn !== undefined && roll(oneIn) === 0) throw new Error(message?.());
        });
        try {
          runner.run(replayed);
        } catch {
          // The page shows it.
        }
      }
    }
    aheadMs = Math.max(aheadMs, endMs);
  }
}

interface Jobs {
  readonly sendDigest: DurableJob<{ to: string }>;
  readonly chargeCard: DurableJob<{ order: number }>;
  readonly resizeAvatar: DurableJob<{ user: string }>;
  readonly syncCrm: DurableJob<{ account: number }>;
  readonly exportAccount: DurableJob<{ account: string }>;
  readonly sendInvoice: DurableJob<{ invoice: number }>;
}

function jobsOf(): Jobs {
  return {
    sendDigest: defineJob<{ to: string }>({
      name: "send_digest",
      async run({ to }, { signal }) {
        await pause(8 + roll(60), signal);
        if (roll(40) === 0) throw new Error(`connect ETIMEDOUT 10.2.0.${roll(200)}:587`);
        if (to === "frances") throw new PermanentJobError("no address for user frances@example.com");
      },
    }),
    chargeCard: defineJob<{ order: number }>({
      name: "charge_card",
      maxAttempts: 2,
      backoff: { baseMs: 20, maxMs: 40 },
      async run({ order }, { signal }) {
        await pause(20 + roll(90), signal);
        if (order % 3 === 0) {
          throw new TypeError(`payment provider answered 502 for order ${order}`, {
            cause: new Error("socket hang up"),
          });
        }
      },
    }),
    resizeAvatar: defineJob<{ user: string }>({
      name: "resize_avatar",
      run: (_payload, { signal }) => pause(3 + roll(20), signal),
    }),
    syncCrm: defineJob<{ account: number }>({
      name: "sync_crm",
      objectives: { finishWithinMs: 350 },
      run: (_payload, { signal }) => pause(40 + roll(400), signal),
    }),
    exportAccount: defineJob<{ account: string }>({
      name: "export_account",
      timeoutMs: 600_000,
      run: ({ account }, { signal }) => pause(account === "small" ? 300 + roll(200) : 500_000, signal),
    }),
    sendInvoice: defineJob<{ invoice: number }>({ name: "send_invoice", run: () => undefined }),
  };
}

async function fill(engine: JobEngine, jobs: Jobs): Promise<void> {
  const now = Date.now();
  const pick = (index: number): string => names[index % names.length] as string;
  const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
  await engine.enqueueMany(
    jobs.sendDigest,
    range(48).map((index) => ({ to: pick(index) })),
    { maxAttempts: 1 },
  );
  await engine.enqueueMany(
    jobs.chargeCard,
    range(18).map((order) => ({ order: 10_400 + order })),
  );
  await engine.enqueueMany(
    jobs.resizeAvatar,
    range(60).map((index) => ({ user: pick(index) })),
  );
  await engine.enqueueMany(
    jobs.sendInvoice,
    range(14).map((invoice) => ({ invoice })),
    { correlationId: "month-11", runAt: new Date(now - 260_000) },
  );
  await engine.enqueue(jobs.sendInvoice, { invoice: 99 }, { runAt: new Date(now + 3_600_000) });
  await engine.enqueue(jobs.exportAccount, { account: "small" });
  for (;;) {
    const { byName } = await engine.stats();
    const left = Object.entries(byName).filter(([name]) => name !== "send_invoice");
    if (left.every(([, { waiting, running, scheduled }]) => waiting + running + scheduled === 0)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await engine.enqueueMany(jobs.exportAccount, [{ account: "acme" }, { account: "globex" }]);
  await engine.enqueueMany(
    jobs.syncCrm,
    range(9).map((account) => ({ account })),
  );
}
