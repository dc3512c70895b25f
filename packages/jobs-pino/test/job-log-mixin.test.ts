import { AsyncJobQueue, asyncJob, job } from "@nidus/jobs-core";
import { currentJobObserver } from "@nidus/jobs-observe";
import { otelJobObserver } from "@nidus/jobs-otel";
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type JobLogMixinOptions, jobLogMixin, pinoJobObserver } from "../src/index.ts";
import { captureLines, majors } from "./support/captured-lines.ts";
import { settled, strictRunner } from "./support/runner.ts";

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => context.disable());

describe.each(majors)("the mixin, with pino %s", (_major, pino) => {
  test("puts the run on lines that are logged inside it, and nothing on others", () => {
    const { logger, lines } = captureLines(pino, { mixin: jobLogMixin() });
    logger.info("before");
    strictRunner(currentJobObserver()).run(
      job("reindex", () => logger.child({ table: "users" }).info("within")),
    );
    strictRunner().run(job("reindex", () => logger.info("within a run that did not opt in")));
    logger.info("after");
    expect(lines()).toEqual([
      { level: 30, msg: "before" },
      { level: 30, msg: "within", table: "users", job_name: "reindex", run_id: "run-1" },
      { level: 30, msg: "within a run that did not opt in" },
      { level: 30, msg: "after" },
    ]);
  });

  test("keeps concurrent runs apart, also after awaits and in timers", async () => {
    const { logger, lines } = captureLines(pino, { mixin: jobLogMixin() });
    const runner = strictRunner(currentJobObserver(), pinoJobObserver({ logger }));
    const queue = new AsyncJobQueue();
    const steps = asyncJob("steps", async () => {
      const mine = `${Math.random()}`;
      logger.info({ mine }, "step");
      await settled();
      logger.info({ mine }, "step");
      await new Promise<void>((resolve) =>
        setTimeout(() => {
          logger.info({ mine }, "step");
          resolve();
        }, 1),
      );
      logger.info({ mine }, "step");
    });
    queue.push(...Array.from({ length: 50 }, () => steps));
    await queue.drain({ runner, concurrency: 10 });

    const written = lines().filter(({ msg }) => msg === "step");
    const runOf = new Map(written.map(({ mine, run_id }) => [mine, run_id]));
    expect([written.length, runOf.size, new Set(runOf.values()).size]).toEqual([200, 50, 50]);
    for (const { mine, run_id } of written) expect(run_id).toBe(runOf.get(mine));
    // The runs did take turns.
    expect(new Set(written.slice(0, 20).map(({ mine }) => mine)).size).toBeGreaterThan(1);
    const finished = lines().filter(({ msg }) => msg === "job run succeeded");
    expect(new Set(finished.map(({ run_id }) => run_id))).toEqual(new Set(runOf.values()));
  });

  test("adds the ids of the run's span to the lines of the job and of the observer", async () => {
    const spanContext = () => trace.getActiveSpan()?.spanContext();
    const { logger, lines } = captureLines(pino, { mixin: jobLogMixin({ spanContext }) });
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const tracer = provider.getTracer("test");
    const runner = strictRunner(
      currentJobObserver(),
      otelJobObserver({ tracer }),
      pinoJobObserver({ logger }),
    );
    const logs = asyncJob("digest", async () => {
      await settled();
      logger.info("within");
    });

    await Promise.all([runner.runAsync(logs), runner.runAsync(logs)]);
    tracer.startActiveSpan("outside of runs", (span) => {
      logger.info("outside");
      span.end();
    });

    const spans = exporter.getFinishedSpans().filter(({ name }) => name === "job.run");
    const expected = spans.map((span) => ({
      run_id: span.attributes["job.run_id"],
      trace_id: span.spanContext().traceId,
      span_id: span.spanContext().spanId,
    }));
    expect(expected).toHaveLength(2);
    const written = lines();
    expect(written.pop()).toEqual({ level: 30, msg: "outside" });
    expect(written).toHaveLength(6);
    for (const run of expected) {
      const own = written.filter(({ run_id }) => run_id === run.run_id);
      expect(own).toMatchObject([run, run, run]);
    }
  });

  test("adds no trace if no span is active", () => {
    const { logger, lines } = captureLines(pino, { mixin: jobLogMixin({ spanContext: () => undefined }) });
    strictRunner(currentJobObserver()).run(job("reindex", () => logger.info("within")));
    expect(lines()).toEqual([{ level: 30, msg: "within", job_name: "reindex", run_id: "run-1" }]);
  });

  test("makes no run id for lines that are not written", () => {
    const { logger } = captureLines(pino, { level: "warn", mixin: jobLogMixin() });
    let idsMade = 0;
    const runner = strictRunner(currentJobObserver()).runIdGenerator(() => `run-${++idsMade}`);
    runner.run(job("reindex", () => logger.info("within")));
    expect(idsMade).toBe(0);
  });
});

test("an unknown option is refused by name", () => {
  expect(() => jobLogMixin({ spancontext: () => undefined } as object)).toThrow(
    /"spancontext".*`spanContext`/,
  );
});

test("a `spanContext` that is no function is refused; undefined stands for none", () => {
  const make = (): unknown => jobLogMixin({ spanContext: {} } as unknown as JobLogMixinOptions);
  expect(make).toThrow(TypeError);
  expect(make).toThrow(/`spanContext`.*a function, got /);
  expect(jobLogMixin({ spanContext: undefined })()).toEqual({});
});
