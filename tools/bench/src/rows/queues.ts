import { type AsyncJob, AsyncJobQueue, asyncJob, type Job, JobQueue, job } from "@nidus/jobs-core";
import async from "async";
import fastq from "fastq";
import pLimit from "p-limit";
import PQueue from "p-queue";
import type { Asked, Comparison, Side } from "../comparison.ts";
import { type ShapedJob, shapes } from "./shapes.ts";

const operations = 1_000;
const syncJobs = Array.from({ length: operations }, () => job("job", () => {}));
/** More jobs than V8 has optimised calls for: each has a function of its own. */
const manyJobs = Array.from({ length: 50_000 }, (_, index) => job(`job_${index % 100}`, () => void index));
const shapedJobs = Array.from(
  { length: operations },
  (_, index) => shapes[index % shapes.length] as ShapedJob,
);
const asyncJobs = jobsOf(operations);
const { signal } = new AbortController();

const syncQueue = new JobQueue();
syncQueue.pushAll(syncJobs);
const asyncQueue = new AsyncJobQueue();
asyncQueue.pushAll(asyncJobs);

function jobsOf(count: number): AsyncJob[] {
  return Array.from({ length: count }, () => asyncJob("job", async () => {}));
}

/** Runs jobs one after the other and makes the report of a queue. */
function syncLoop(jobs: readonly Job<unknown>[]): unknown {
  const report = { completed: [] as string[], failed: [] as unknown[] };
  for (const each of jobs) {
    try {
      each.run();
      report.completed.push(each.name);
    } catch (error) {
      report.failed.push({ jobName: each.name, error });
    }
  }
  return report;
}

async function asyncLoop(): Promise<unknown> {
  const report = { completed: [] as string[], failed: [] as unknown[] };
  for (const each of asyncJobs) {
    try {
      await each.run(signal);
      report.completed.push(each.name);
    } catch (error) {
      report.failed.push({ jobName: each.name, error });
    }
  }
  return report;
}

/** Adds jobs to each peer and awaits all of them, as its documentation says. */
function peersOf(jobs: readonly AsyncJob[], concurrency: number): Side[] {
  return [
    {
      label: "fastq.promise",
      run: () => {
        const queue = fastq.promise((each: AsyncJob) => Promise.resolve(each.run(signal)), concurrency);
        return Promise.all(jobs.map((each) => queue.push(each)));
      },
    },
    {
      label: "p-queue",
      run: () => new PQueue({ concurrency }).addAll(jobs.map((each) => async () => each.run(signal))),
    },
    {
      label: "p-limit",
      run: () => {
        const limit = pLimit(concurrency);
        return Promise.all(jobs.map((each) => limit(() => each.run(signal))));
      },
    },
    {
      label: "async.queue",
      run: () => {
        const queue = async.queue(async (each: AsyncJob) => each.run(signal), concurrency);
        return Promise.all(jobs.map((each) => queue.pushAsync(each)));
      },
    },
  ];
}

/** Measures the only peer that needs no outcomes: it learns when all jobs have run, and of each failure. */
function drained(jobs: readonly AsyncJob[], concurrency: number): Side {
  return {
    label: "async.queue, pushed at once and drained",
    run: () => {
      const queue = async.queue(async (each: AsyncJob) => each.run(signal), concurrency);
      queue.error(() => {});
      queue.push([...jobs]);
      return queue.drain();
    },
  };
}

function againstPeers(count: number, concurrency: number, asked: Asked): Comparison[] {
  const jobs = jobsOf(count);
  const run = (): unknown => {
    const queue = new AsyncJobQueue();
    queue.pushAll(jobs);
    return queue.runAll({ concurrency });
  };
  const against = (peer: Side, note: string, askedOfIt: Asked): Comparison => ({
    id: `queue-${concurrency}-of-${count}-${peer.label}`,
    title: `${count.toLocaleString("en")} jobs, concurrency ${concurrency}, against ${peer.label}`,
    operations: count,
    ours: { label: "AsyncJobQueue", run },
    peer,
    asked: askedOfIt,
    ...(count > 10_000 ? { rounds: 2 } : {}),
    note,
  });
  const promised = "the peer returns a promise for every job, which a report does not need";
  return [
    ...peersOf(jobs, concurrency).map((peer) => against(peer, promised, asked)),
    against(
      drained(jobs, concurrency),
      "the peer says that all have run, and not how each has ended, which the report does",
      undefined,
    ),
  ];
}

function syncComparison(id: string, what: string, jobs: readonly Job<unknown>[]): Comparison {
  const queue = new JobQueue();
  queue.pushAll(jobs);
  return {
    id,
    title: `JobQueue.runAll of ${what} against a loop that makes the same report`,
    operations: jobs.length,
    ours: { label: "JobQueue.runAll", run: () => queue.runAll() },
    peer: { label: "loop by hand", run: () => syncLoop(jobs) },
    asked: { atMost: 1.5 },
  };
}

export const queueComparisons: readonly Comparison[] = [
  {
    id: "queue-sync",
    title: "JobQueue.runAll against a loop that makes the same report",
    operations,
    ours: { label: "JobQueue.runAll", run: () => syncQueue.runAll() },
    peer: { label: "loop by hand", run: () => syncLoop(syncJobs) },
    asked: { atMost: 1.3 },
  },
  syncComparison("queue-sync-50000", "50,000 different jobs", manyJobs),
  syncComparison("queue-sync-shapes", "32 classes of jobs in turn", shapedJobs),
  {
    id: "queue-async-1",
    title: "AsyncJobQueue.runAll, one at a time, against a loop that awaits",
    operations,
    ours: { label: "AsyncJobQueue.runAll", run: () => asyncQueue.runAll() },
    peer: { label: "await loop by hand", run: asyncLoop },
    asked: { atMost: 1.3 },
  },
  // A backlog, in which the peers' promises dominate the cost, and a handful, in which they cost little.
  ...againstPeers(100_000, 1, undefined),
  ...againstPeers(100_000, 10, { timesFaster: 6 }),
  ...againstPeers(100_000, 100, undefined),
  ...againstPeers(1_000, 10, undefined),
];
