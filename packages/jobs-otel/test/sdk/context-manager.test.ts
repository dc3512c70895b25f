import { AsyncLocalStorage } from "node:async_hooks";
import { asyncJob } from "@nidus/jobs-core";
import { type Context, type ContextManager, context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { otelJobObserver } from "../../src/index.ts";
import { otelPipeline } from "../../src/sdk/index.ts";
import { clearOtelEnvironment } from "../support/environment.ts";
import { registerContextManager, resetGlobalApi } from "../support/global-api.ts";
import { SpanRecorder } from "../support/recorded-spans.ts";
import { strictRunner } from "../support/runner.ts";

beforeEach(clearOtelEnvironment);
afterEach(() => {
  vi.unstubAllEnvs();
  resetGlobalApi();
});

/** Another context manager than the SDK's. Counts how often it was entered. */
class OwnContextManager implements ContextManager {
  readonly #storage: AsyncLocalStorage<Context> = new AsyncLocalStorage();
  entered = 0;

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    this.entered++;
    return this.#storage.run(active, () => fn.call(thisArg as ThisParameterType<F>, ...args));
  }

  bind<T>(_context: Context, target: T): T {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}

test("a pipeline registers a context manager if there is none, so that spans nest across awaits", async () => {
  const spans = new SpanRecorder();
  await using pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [spans] });

  await strictRunner(otelJobObserver({ tracer: pipeline.tracer })).runAsync(
    asyncJob("digest", async () => {
      await new Promise((resolve) => setImmediate(resolve));
      pipeline.tracer.startSpan("query").end();
    }),
  );

  expect(spans.only("query").parentSpanContext?.spanId).toBe(spans.only("job.run").spanContext().spanId);
});

test("a pipeline keeps a context manager that is already registered", async () => {
  const own = new OwnContextManager();
  context.setGlobalContextManager(own);
  const spans = new SpanRecorder();

  await using pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [spans] });
  own.entered = 0;
  await strictRunner(otelJobObserver({ tracer: pipeline.tracer })).runAsync(
    asyncJob("digest", async () => {
      await new Promise((resolve) => setImmediate(resolve));
      pipeline.tracer.startSpan("query").end();
    }),
  );

  expect(own.entered).toBeGreaterThan(0);
  expect(spans.only("query").parentSpanContext?.spanId).toBe(spans.only("job.run").spanContext().spanId);
});

test("a second pipeline keeps the first one's context manager and the active context", async () => {
  registerContextManager();
  const outer = context.active().setValue(Symbol.for("test"), "outer");

  await context.with(outer, async () => {
    await using pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [new SpanRecorder()] });
    expect(pipeline.tracer).toBeDefined();
    expect(context.active()).toBe(outer);
  });
});

test("a pipeline that is refused registers nothing", () => {
  expect(() => otelPipeline({ serviceName: "users-api" })).toThrow("`endpoint`");
  const inside = context.with(context.active().setValue(Symbol.for("test"), 1), () => context.active());
  expect(inside).toBe(ROOT_CONTEXT);
});

test("a pipeline registers no tracer provider", async () => {
  await using pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [new SpanRecorder()] });
  expect(pipeline.tracer).toBeDefined();
  expect(trace.getTracer("application").startSpan("request").isRecording()).toBe(false);
});
