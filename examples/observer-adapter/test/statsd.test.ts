import assert from "node:assert/strict";
import { test } from "node:test";
import { asyncJob, job } from "@nidus/jobs-core";
import { fakeClock } from "@nidus/jobs-testkit";
import { production } from "@nidus/observability";
import { statsd } from "../src/index.ts";
import { statsdAgent } from "./support/statsd-agent.ts";

test("sends a line when a run starts, and the duration when it finishes", async () => {
  await using agent = await statsdAgent();
  await using observability = production("users-api").with(statsd({ port: agent.port }));
  {
    using clock = fakeClock();
    observability.jobRunner().run(job("send_digest", () => clock.advance(250)));
  }
  await observability.forceFlush();
  assert.deepEqual(await agent.lines(2), [
    "nidus.jobs_started:1|c|#service:users-api,job_name:send_digest",
    "nidus.job_duration:250.000|ms|#service:users-api,job_name:send_digest,status:success",
  ]);
});

test("sends without a flush, including the status of a failed job", async () => {
  await using agent = await statsdAgent();
  await using observability = production("users-api").with(statsd({ port: agent.port, prefix: "" }));
  const failing = asyncJob("failing", () => Promise.reject(new Error("no")));
  await assert.rejects(observability.jobRunner().runAsync(failing));
  const [started, finished] = await agent.lines(2);
  assert.equal(started, "jobs_started:1|c|#service:users-api,job_name:failing");
  assert.match(finished ?? "", /^job_duration:[\d.]+\|ms\|#.*,status:failure$/);
});

test("reports jobs that engines enqueue and settle", async () => {
  await using agent = await statsdAgent();
  await using observability = production("users-api").with(statsd({ port: agent.port }));
  const runner = observability.jobRunner();
  const [jobName, engine, queue, correlationId] = ["digest", "memory", "digest", undefined];
  runner.enqueued({ jobName, engine, queue, count: 3, correlationId, carrier: {} });
  const now = new Date();
  const delivery = {
    ...{ engine, queue, jobId: "1", attempt: 1, maxAttempts: 5, correlationId, carrier: {} },
    ...{ enqueuedAt: now, runAt: now },
  };
  runner.settled({ jobName, delivery, outcome: "retried", error: undefined });
  await observability.forceFlush();
  assert.deepEqual(await agent.lines(2), [
    "nidus.jobs_enqueued:3|c|#service:users-api,job_name:digest",
    "nidus.jobs_settled:1|c|#service:users-api,job_name:digest,outcome:retried",
  ]);
});

test("removes characters from names that would end a tag, a line or a metric", async () => {
  await using agent = await statsdAgent();
  await using observability = production("users-api").with(statsd({ port: agent.port }));
  observability.jobRunner().run(job("a|b,c:d#e\nf", () => {}));
  await observability.forceFlush();
  const [started] = await agent.lines(2);
  assert.equal(started, "nidus.jobs_started:1|c|#service:users-api,job_name:a_b_c_d_e_f");
});

test("sends as many lines per datagram as fit, and loses none", async () => {
  await using agent = await statsdAgent();
  await using observability = production("users-api").with(statsd({ port: agent.port }));
  const runner = observability.jobRunner();
  for (let run = 0; run < 100; run++) runner.run(job("often", () => {}));
  await observability.forceFlush();
  const lines = await agent.lines(200);
  assert.equal(lines.filter((line) => line.includes("jobs_started")).length, 100);
});

test("sends the remaining lines on shutdown, and nothing afterwards", async () => {
  await using agent = await statsdAgent();
  const observability = production("users-api").with(statsd({ port: agent.port }));
  const runner = observability.jobRunner();
  runner.run(job("before", () => {}));
  await observability.shutdown();
  runner.run(job("after", () => {}));
  await using another = production("users-api").with(statsd({ port: agent.port }));
  another.jobRunner().run(job("another", () => {}));
  await another.forceFlush();
  const names = (await agent.lines(4)).map((line) => /job_name:(\w+)/.exec(line)?.[1]);
  assert.deepEqual(names, ["before", "before", "another", "another"]);
});

test("refuses wrong options", () => {
  assert.throws(() => statsd({ host: "" }), TypeError);
  assert.throws(() => statsd({ port: 0 }), RangeError);
  assert.throws(() => statsd({ port: 65_536 }), RangeError);
  assert.throws(() => statsd({ prefix: "a|b" }), /letters, digits, dots and dashes/);
});
