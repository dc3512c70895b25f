import { type AsyncJob, AsyncJobQueue, type Job, JobError, JobQueue } from "@nidus/jobs-core";
import {
  type JobObserver,
  type JobResultStatus,
  jobObserverChannel,
  type ObservedJobContext,
  ObservedJobRunner,
} from "@nidus/jobs-observe";
import { describe, expect, it } from "vitest";
import { production } from "../src/index.ts";

/** Tests all of Nidus in the order of its overview: queues, observed runs, replaceable observers, the channel. */

class SendDigest implements Job {
  readonly name = "send_digest";
  run(): void {}
}

class SendDigestAsync implements AsyncJob {
  readonly name = "send_digest";
  async run(): Promise<void> {
    await Promise.resolve();
  }
}

class Failing implements Job {
  readonly name = "failing";
  run(): void {
    throw new Error("out of paper");
  }
}

/** Logs the facts that a tracing set-up would record: names, run ids, statuses, durations. */
class LoggingObserver implements JobObserver {
  readonly lines: Record<string, unknown>[] = [];

  onJobStarted(context: ObservedJobContext): void {
    this.lines.push({ "job.name": context.jobName, "job.run_id": context.runId });
  }

  onJobFinished(context: ObservedJobContext, status: JobResultStatus): void {
    const { jobName, runId, durationMs } = context;
    this.lines.push({ "job.name": jobName, "job.run_id": runId, status, duration_ms: durationMs });
  }
}

describe("jobs: sync and async job queues", () => {
  it("a queue is empty, takes a job, runs all and reports a success", () => {
    const queue = new JobQueue();
    expect(queue.isEmpty).toBe(true);
    queue.push(new SendDigest());
    expect(queue.size).toBe(1);
    const report = queue.runAll();
    expect(report.isSuccess).toBe(true);
  });

  it("runAll executes jobs in insertion order and continues after failures", () => {
    const queue = new JobQueue();
    queue.push(new SendDigest(), new Failing(), new SendDigest());
    const report = queue.runAll();
    expect(report.completed).toEqual(["send_digest", "send_digest"]);
    expect(report.isSuccess).toBe(false);
  });

  it("the report records completed job names, and failed jobs with their JobError details", () => {
    const queue = new JobQueue();
    queue.push(new SendDigest(), new Failing());
    const { completed, failed } = queue.runAll();
    expect(completed).toEqual(["send_digest"]);
    expect(failed.map(({ jobName }) => jobName)).toEqual(["failing"]);
    expect(failed[0]?.error).toBeInstanceOf(JobError);
    expect(failed[0]?.error).toMatchObject({ message: "out of paper", code: "NIDUS_JOB_FAILED" });
  });

  it("an AsyncJob in an AsyncJobQueue awaits", async () => {
    const queue = new AsyncJobQueue();
    queue.push(new SendDigestAsync());
    const report = await queue.runAll();
    expect(report.isSuccess).toBe(true);
    expect(report.completed).toEqual(["send_digest"]);
  });
});

describe("observed jobs", () => {
  it("an observed runner wraps runs of both kinds with run ids, durations, statuses and context attributes", async () => {
    const observer = new LoggingObserver();
    const contexts: ObservedJobContext[] = [];
    const runner = new ObservedJobRunner([
      observer,
      { onJobStarted: (context) => void contexts.push(context) },
    ]).context("request_id", "req-123");
    runner.run(new SendDigest());
    await runner.runAsync(new SendDigestAsync());
    expect(() => runner.run(new Failing())).toThrow("out of paper");

    const finished = observer.lines.filter((line) => "status" in line);
    expect(finished.map(({ status }) => status)).toEqual(["success", "success", "failure"]);
    for (const line of finished) expect(line.duration_ms).toBeGreaterThanOrEqual(0);
    expect(new Set(observer.lines.map((line) => line["job.run_id"])).size).toBe(3);
    expect(contexts.map(({ attributes }) => attributes)).toEqual(Array(3).fill({ request_id: "req-123" }));
  });

  it("the runner does not replace the queue: it is used where jobs are executed", () => {
    const observer = new LoggingObserver();
    const queue = new JobQueue();
    queue.push(new SendDigest());
    queue.runAll({ runner: new ObservedJobRunner(observer) });
    expect(observer.lines).toHaveLength(2);
  });

  it("observers are replaceable without a change to the job", () => {
    const job = new SendDigest();
    const [logging, [events, receiver]] = [new LoggingObserver(), jobObserverChannel()];
    for (const observer of [logging, events]) new ObservedJobRunner(observer).run(job);
    expect([logging.lines.length, receiver.size]).toEqual([2, 2]);
  });

  it("the recommended production set-up is one line", async () => {
    const observability = production("users-api").prometheus();
    const runner = observability.jobRunner();
    runner.run(new SendDigest());
    expect(await observability.metrics()).toContain(
      'nidus_jobs_finished_total{job_name="send_digest",status="success"} 1',
    );
  });

  it("its observer can be passed to your own runner", async () => {
    const observability = production("users-api").prometheus();
    new ObservedJobRunner(observability.jobObserver()).run(new SendDigest());
    expect(await observability.metrics()).toContain('nidus_jobs_started_total{job_name="send_digest"} 1');
  });

  it("only runs that go through an observed runner emit job metrics; plain queues stay available", async () => {
    const observability = production("users-api").prometheus();
    observability.jobRunner();
    const queue = new JobQueue();
    queue.push(new SendDigest());
    expect(queue.runAll().isSuccess).toBe(true);
    expect(await observability.metrics()).not.toContain("send_digest");
  });

  it("a channel takes slower work away from the run", () => {
    const [observer, receiver] = jobObserverChannel();
    const runner = new ObservedJobRunner(observer);
    runner.run(new SendDigest());
    const seen: string[] = [];
    for (const event of receiver.tryIter()) {
      switch (event.type) {
        case "started":
          seen.push(`started ${event.context.jobName} ${event.context.runId}`);
          break;
        case "finished":
          seen.push(`finished ${event.context.jobName} ${event.status} ${event.context.runId}`);
          break;
      }
    }
    const [runId] = seen[0]?.split(" ").slice(-1) ?? [];
    expect(seen).toEqual([`started send_digest ${runId}`, `finished send_digest success ${runId}`]);
  });
});
