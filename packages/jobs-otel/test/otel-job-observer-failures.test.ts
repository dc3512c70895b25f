import { runInNewContext } from "node:vm";
import { asyncJob, JobError, job } from "@nidus/jobs-core";
import { SpanStatusCode } from "@opentelemetry/api";
import { afterEach, describe, expect, test } from "vitest";
import { otelJobMetricsObserver, otelJobObserver } from "../src/index.ts";
import { resetGlobalApi } from "./support/global-api.ts";
import { hostileProxy } from "./support/hostile.ts";
import { recordSpans, textOf } from "./support/recorded-spans.ts";
import { strictRunner, thrownBy } from "./support/runner.ts";

afterEach(resetGlobalApi);

class PaymentDeclined extends Error {}

class Renamed extends Error {
  override readonly name = "E_RENAMED";
}

class QuotaExceeded extends JobError {}

function failing(thrown: unknown) {
  return job("reindex", (): void => {
    throw thrown;
  });
}

const thrownValues: [string, () => unknown, string][] = [
  ["an Error", () => new Error("no"), "Error"],
  ["a TypeError", () => new TypeError("no"), "TypeError"],
  ["a class that extends Error and sets no name", () => new PaymentDeclined("no"), "PaymentDeclined"],
  ["a class that sets a name of its own", () => new Renamed("no"), "E_RENAMED"],
  ["an AggregateError", () => new AggregateError([new Error("a")], "no"), "AggregateError"],
  ["a DOMException of a timeout", () => new DOMException("too late", "TimeoutError"), "TimeoutError"],
  ["a JobError", () => new JobError("no"), "JobError"],
  ["a JobError with a cause", () => new JobError("no", { cause: new TypeError("inner") }), "JobError"],
  ["a class that extends JobError and sets no name", () => new QuotaExceeded("no"), "QuotaExceeded"],
  [
    "a class that extends JobError, with a cause of another class",
    () => new QuotaExceeded("no", { cause: new TypeError("inner") }),
    "QuotaExceeded",
  ],
  ["a string", () => "no", "JobError"],
  ["undefined", () => undefined, "JobError"],
  ["null", () => null, "JobError"],
  ["an object that only looks like an error", () => ({ name: "Fake", message: "no" }), "JobError"],
  [
    "an error without a prototype's constructor",
    () => Object.setPrototypeOf(new Error("no"), null),
    "JobError",
  ],
  ["a Proxy whose every trap throws", hostileProxy, "JobError"],
  [
    "an error whose name cannot be read",
    () => Object.defineProperty(new Error("no"), "name", { get: () => hostileProxy() }),
    "Error",
  ],
];

describe("a failure", () => {
  test.each(thrownValues)("of %s sets ERROR and its class as `error.type`", async (_case, make, type) => {
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer }));
    const thrown = make();

    const caught = await thrownBy(() => runner.run(failing(thrown)));

    expect(Object.is(caught.value, thrown)).toBe(true);
    const span = spans.only("job.run");
    expect(span.status.code).toBe(SpanStatusCode.ERROR);
    expect(span.attributes["error.type"]).toBe(type);
    expect(span.events.map(({ name, attributes }) => [name, attributes?.["exception.type"]])).toEqual([
      ["exception", type],
    ]);
  });

  test("records the message and the stack of what was thrown", async () => {
    const { tracer, spans } = recordSpans();
    const error = new PaymentDeclined("card expired");

    await thrownBy(() =>
      strictRunner(otelJobObserver({ tracer })).runAsync(asyncJob("pay", () => Promise.reject(error))),
    );

    const span = spans.only("job.run");
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: "card expired" });
    expect(span.events[0]?.attributes).toEqual({
      "exception.type": "PaymentDeclined",
      "exception.message": "card expired",
      "exception.stacktrace": error.stack,
    });
  });

  test("of a timeout is an ERROR, even if the timeout aborted the signal", async () => {
    const { tracer, spans } = recordSpans();
    const signal = AbortSignal.timeout(1);

    await thrownBy(() =>
      strictRunner(otelJobObserver({ tracer })).runAsync(asyncJob("digest", untilAborted), { signal }),
    );

    expect(spans.only("job.run").status.code).toBe(SpanStatusCode.ERROR);
    expect(spans.only("job.run").attributes["error.type"]).toBe("TimeoutError");
  });
});

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

describe("a cancelled run", () => {
  test.each<[string, unknown]>([
    ["the default reason", undefined],
    ["a reason of the caller's", new Error("shutting down")],
  ])("with %s is no ERROR and records no exception", async (_case, reason) => {
    const { tracer, spans } = recordSpans();
    const controller = new AbortController();

    const running = strictRunner(otelJobObserver({ tracer })).runAsync(asyncJob("digest", untilAborted), {
      signal: controller.signal,
    });
    controller.abort(reason);
    await thrownBy(() => running);

    const span = spans.only("job.run");
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(span.events).toEqual([]);
    expect(span.attributes).not.toHaveProperty("error.type");
  });
});

describe("recordErrorMessage: false", () => {
  const secret = "hunter2-4111111111111111";
  const secretive: [string, () => unknown][] = [
    ["an error with a message", () => new Error(secret)],
    ["an error with a cause", () => new Error("no", { cause: new Error(secret) })],
    ["an AggregateError", () => new AggregateError([new Error(secret)], secret)],
    [
      "an error with properties",
      () => Object.assign(new TypeError("no"), { code: secret, response: { body: secret } }),
    ],
    ["an error with a stack that was tampered with", () => Object.assign(new Error("no"), { stack: secret })],
    ["a JobError", () => new JobError(secret, { cause: secret })],
    ["a string", () => secret],
    ["an object with a message", () => ({ message: secret })],
  ];

  test.each(secretive)("leaks no part of %s", async (_case, make) => {
    const { tracer, spans } = recordSpans();
    const observer = otelJobObserver({ tracer, recordErrorMessage: false });

    await thrownBy(() => strictRunner(observer).run(failing(make())));

    expect(spans.only("job.run").status).toEqual({ code: SpanStatusCode.ERROR });
    expect(textOf(spans.only("job.run"))).not.toContain(secret);
  });

  test.each(secretive)("while the span shows the message of %s by default", async (_case, make) => {
    const { tracer, spans } = recordSpans();
    const thrown = make();

    await thrownBy(() => strictRunner(otelJobObserver({ tracer })).run(failing(thrown)));

    const span = spans.only("job.run");
    expect(span.status.message).toBe(JobError.from(thrown).message);
  });

  test("keeps the error's type", async () => {
    const { tracer, spans } = recordSpans();
    const observer = otelJobObserver({ tracer, recordErrorMessage: false });

    await thrownBy(() => strictRunner(observer).run(failing(new PaymentDeclined(secret))));

    const span = spans.only("job.run");
    expect(span.attributes["error.type"]).toBe("PaymentDeclined");
    expect(span.events.map(({ name, attributes }) => [name, attributes])).toEqual([
      ["exception", { "exception.type": "PaymentDeclined" }],
    ]);
  });

  test("leaks no abort reason of a cancelled run", async () => {
    const { tracer, spans } = recordSpans();
    const controller = new AbortController();
    const observer = otelJobObserver({ tracer, recordErrorMessage: false });

    const running = strictRunner(observer).runAsync(asyncJob("digest", untilAborted), {
      signal: controller.signal,
    });
    controller.abort(new Error(secret));
    await thrownBy(() => running);

    expect(textOf(spans.only("job.run"))).not.toContain(secret);
  });
});

describe("maxErrorLength", () => {
  const failure = (): Error => {
    const error = new Error("m".repeat(1_000_000), { cause: new Error("c".repeat(1_000_000)) });
    error.name = "N".repeat(1_000_000);
    return error;
  };

  /** Returns all texts about a failed run in a span. */
  async function textsOf(options: { maxErrorLength?: number }, thrown: unknown): Promise<string[]> {
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer, ...options }));
    await thrownBy(() => runner.run(failing(thrown)));
    const { status, attributes, events } = spans.only("job.run");
    const event = events[0]?.attributes ?? {};
    return [
      status.message,
      attributes["error.type"],
      event["exception.message"],
      event["exception.stacktrace"],
      event["exception.type"],
    ].map(String);
  }

  test("cuts message, type and stack, in the status as well", async () => {
    for (const text of await textsOf({ maxErrorLength: 100 }, failure())) {
      expect(text).toHaveLength(100);
      expect(text).toMatch(/…$/);
    }
  });

  test("is 4096 characters by default, also of strings and of aggregated errors", async () => {
    const aggregate = new AggregateError([failure(), failure()], "a".repeat(1_000_000));
    for (const thrown of [failure(), "s".repeat(1_000_000), aggregate]) {
      const longest = Math.max(...(await textsOf({}, thrown)).map(({ length }) => length));
      expect(longest).toBe(4096);
    }
  });

  test("leaves shorter texts unchanged, and cuts between characters", async () => {
    expect((await textsOf({ maxErrorLength: 5 }, "short"))[0]).toBe("short");
    expect((await textsOf({ maxErrorLength: 3 }, "x😀😀"))[0]).toBe("x…");
  });

  test.each([0, 1.5, -1, Number.NaN, "10"])("refuses %j", (maxErrorLength) => {
    const make = (): unknown => otelJobObserver({ maxErrorLength } as object);
    expect(make).toThrow(/`maxErrorLength`/);
  });
});

test("an error of another realm has its own class, message and stack", async () => {
  const { tracer, spans } = recordSpans();
  const thrown = runInNewContext('new RangeError("out of paper")') as RangeError;

  await thrownBy(() => strictRunner(otelJobObserver({ tracer })).run(failing(thrown)));

  const span = spans.only("job.run");
  expect(span.attributes["error.type"]).toBe("RangeError");
  expect(span.events[0]?.attributes).toMatchObject({
    "exception.message": "out of paper",
    "exception.stacktrace": thrown.stack,
  });
});

test("an unknown option is refused by name", () => {
  expect(() => otelJobObserver({ recordErrorMesage: false } as object)).toThrow(
    /"recordErrorMesage".*`recordErrorMessage`/,
  );
  expect(() => otelJobMetricsObserver({ metre: 1 } as object)).toThrow(/"metre".*`meter`/);
});
