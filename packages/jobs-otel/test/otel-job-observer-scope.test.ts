import { asyncJob, job } from "@nidus/jobs-core";
import { context, type Span, trace } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { otelJobObserver } from "../src/index.ts";
import { registerContextManager, resetGlobalApi } from "./support/global-api.ts";
import { recordSpans } from "./support/recorded-spans.ts";
import { strictRunner } from "./support/runner.ts";

beforeEach(registerContextManager);
afterEach(resetGlobalApi);

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function active(): Span | undefined {
  return trace.getSpan(context.active());
}

function isChildOf(child: ReadableSpan, parent: ReadableSpan): boolean {
  return (
    child.parentSpanContext?.spanId === parent.spanContext().spanId &&
    child.spanContext().traceId === parent.spanContext().traceId
  );
}

describe("the active span", () => {
  test("is the parent of the run's span", () => {
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer }));

    tracer.startActiveSpan("request", (request) => {
      runner.run(job("reindex", () => {}));
      request.end();
    });

    expect(isChildOf(spans.only("job.run"), spans.only("request"))).toBe(true);
  });

  test("is absent outside of any span, and the run begins a trace", () => {
    const { tracer, spans } = recordSpans();
    strictRunner(otelJobObserver({ tracer })).run(job("reindex", () => {}));
    expect(spans.only("job.run").parentSpanContext).toBeUndefined();
  });

  test("is the run's own while a sync job runs, and the former one afterwards", () => {
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer }));

    const during = runner.run(job("reindex", () => active()?.spanContext()));

    expect(during).toEqual(spans.only("job.run").spanContext());
    expect(active()).toBeUndefined();
  });

  test("is the run's own across awaits, in timers and in callbacks", async () => {
    const { tracer, spans } = recordSpans();
    const seen: (string | undefined)[] = [];
    const look = (): unknown => seen.push(active()?.spanContext().spanId);

    await strictRunner(otelJobObserver({ tracer })).runAsync(
      asyncJob("digest", async () => {
        look();
        await nextTurn();
        look();
        await new Promise<void>((resolve) => {
          setTimeout(() => {
            look();
            queueMicrotask(() => {
              look();
              resolve();
            });
          }, 1);
        });
        await Promise.all([nextTurn().then(look), nextTurn().then(look)]);
      }),
    );

    expect(seen).toEqual(new Array(6).fill(spans.only("job.run").spanContext().spanId));
  });

  test("is the run's own in the hooks of other observers, at start and at finish", async () => {
    const { tracer, spans } = recordSpans();
    const seen: unknown[] = [];
    const note = (): void => void seen.push(active()?.spanContext().spanId);
    const runner = strictRunner({ onJobStarted: note, onJobFinished: note }, otelJobObserver({ tracer }), {
      onJobStarted: note,
      onJobFinished: note,
    });

    await runner.runAsync(asyncJob("digest", nextTurn));

    expect(seen).toEqual(new Array(4).fill(spans.only("job.run").spanContext().spanId));
  });

  test("is each run's own if many run at once: children nest under their own run", async () => {
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer }));
    const indices = Array.from({ length: 200 }, (_, index) => index);

    await Promise.all(
      indices.map((index) =>
        runner.context("index", index).runAsync(
          asyncJob("digest", async () => {
            for (let turn = index % 5; turn >= 0; turn--) await nextTurn();
            tracer.startSpan("query", { attributes: { index } }).end();
            await nextTurn();
            tracer.startSpan("query", { attributes: { index } }).end();
          }),
        ),
      ),
    );

    const runs = new Map(spans.all("job.run").map((span) => [span.attributes.index, span]));
    const queries = spans.all("query");
    expect(runs.size).toBe(200);
    expect(queries).toHaveLength(400);
    for (const query of queries) {
      expect(isChildOf(query, runs.get(query.attributes.index) as ReadableSpan)).toBe(true);
    }
    expect(new Set(spans.all("job.run").map((span) => span.spanContext().traceId)).size).toBe(200);
  });

  test("is the parent of a run that a job starts", async () => {
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer }));

    await runner.runAsync(
      asyncJob("outer", async () => {
        await nextTurn();
        runner.run(job("inner", () => {}));
      }),
    );

    const [inner, outer] = spans.all("job.run") as [ReadableSpan, ReadableSpan];
    expect(inner.attributes["job.name"]).toBe("inner");
    expect(isChildOf(inner, outer)).toBe(true);
  });
});
