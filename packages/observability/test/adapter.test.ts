import { describe, expect, test } from "vitest";
import { type ObservabilityAdapter, production } from "../src/index.ts";
import { adapter, reindex } from "./support/adapters.ts";
import { pipelineMaker, RecordedPipeline } from "./support/recorded-pipeline.ts";

describe("an adapter", () => {
  test("is asked once for its observer, with the service's identity, and receives runs", () => {
    const heard: string[] = [];
    const services: unknown[] = [];
    const audit = adapter("audit", {
      jobObserver(service) {
        services.push(service);
        return {
          onJobStarted: ({ jobName }) => void heard.push(`started ${jobName}`),
          onJobFinished: ({ jobName }, status) => void heard.push(`${status} ${jobName}`),
        };
      },
    });
    const observability = production("users-api").version("1.4.2").with(audit);

    observability.jobRunner().run(reindex);
    observability.jobObserver();

    expect(services).toEqual([{ serviceName: "users-api", serviceVersion: "1.4.2" }]);
    expect(heard).toEqual(["started reindex", "success reindex"]);
  });

  test("may be an object with state: members are called as methods", async () => {
    class Counting {
      readonly name = "counting";
      #runs = 0;
      flushes = 0;
      jobObserver() {
        return { onJobStarted: () => void this.#runs++ };
      }
      metrics(): string {
        return `runs ${this.#runs}\n`;
      }
      forceFlush(): void {
        this.flushes++;
      }
    }
    const counting = new Counting();
    const observability = production("users-api").with(counting);

    observability.jobRunner().run(reindex);
    await observability.forceFlush();

    expect(await observability.metrics()).toBe("runs 1\n");
    expect(counting.flushes).toBe(1);
  });

  test("is refused if one of its name is already there", () => {
    expect(() => production("users-api").with(adapter("audit")).with(adapter("audit"))).toThrow(
      'an adapter named "audit" is already there',
    );
  });

  test.each(["prometheus", "otel"] as const)(
    "named %s is refused beside the built-in one, in any order",
    (name) => {
      expect(() => production("users-api")[name]().with(adapter(name))).toThrow(`an adapter named "${name}"`);
      expect(() => production("users-api").with(adapter(name))[name]()).toThrow(`an adapter named "${name}"`);
    },
  );
});

describe("an adapter that cannot be made", () => {
  const failing = (name: string): ObservabilityAdapter & { isReady: boolean } => ({
    name,
    isReady: false,
    jobObserver() {
      if (!this.isReady) throw new Error("not ready");
      return {};
    },
  });

  test("does not make the others twice, and they are ended", async () => {
    const maker = pipelineMaker();
    const asked: string[] = [];
    const calls: string[] = [];
    const audit = adapter("audit", {
      jobObserver: () => {
        asked.push("audit");
        return {};
      },
      shutdown: () => void calls.push("audit"),
    });
    const observability = production("users-api").otel(maker).with(audit).with(failing("z"));
    for (let i = 0; i < 3; i++) expect(() => observability.jobRunner()).toThrow("not ready");

    await observability.forceFlush();
    await observability.shutdown();
    await observability.shutdown();

    expect(asked).toEqual(["audit"]);
    expect(calls).toEqual(["audit"]);
    expect(maker.pipelines.map((each) => each.calls)).toEqual([["forceFlush", "shutdown"]]);
  });

  test("leaves an existing pipeline to be ended", async () => {
    const pipeline = new RecordedPipeline();
    const observability = production("users-api").otel(pipeline).with(failing("a"));
    expect(() => observability.jobRunner()).toThrow("not ready");
    await observability.shutdown();
    expect(pipeline.calls).toEqual(["shutdown"]);
  });

  test("is asked again at the next use, and ended like the others after that", async () => {
    const calls: string[] = [];
    const late = { ...failing("z"), shutdown: () => void calls.push("z") };
    const pipeline = new RecordedPipeline();
    const observability = production("users-api")
      .otel(() => pipeline)
      .with(late);
    expect(() => observability.jobRunner()).toThrow("not ready");
    await observability.shutdown();
    expect(calls).toEqual([]);

    late.isReady = true;
    observability.jobRunner().run(reindex);
    await observability.shutdown();

    expect(pipeline.spans.finished).toHaveLength(1);
    expect([calls, pipeline.calls]).toEqual([["z"], ["shutdown"]]);
  });
});

describe.each(["forceFlush", "shutdown"] as const)("%s()", (step) => {
  test("reaches every adapter that has it, also after one has failed", async () => {
    const reached: string[] = [];
    const thrown = new Error("thrown");
    const rejected = new Error("rejected");
    const observability = production("users-api")
      .with(
        adapter("a", {
          [step]: () => {
            reached.push("a");
            throw thrown;
          },
        }),
      )
      .with(
        adapter("b", {
          [step]: async () => {
            reached.push("b");
            throw rejected;
          },
        }),
      )
      .with(adapter("c"))
      .with(adapter("d", { [step]: () => void reached.push("d") }));
    observability.jobRunner();

    const error = await observability[step]().catch((caught: unknown) => caught);

    expect(reached).toEqual(["a", "b", "d"]);
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toEqual([thrown, rejected]);
    expect((error as AggregateError).message).toBe(`2 adapters failed in ${step}: a, b`);
  });

  test("says which one failed, if it was one", async () => {
    const fail = (): never => {
      throw new Error("thrown");
    };
    const observability = production("users-api")
      .with(adapter("a", { [step]: fail }))
      .with(adapter("b"));
    observability.jobRunner();
    await expect(observability[step]()).rejects.toThrow(`1 adapter failed in ${step}: a`);
  });

  test("settles after the slowest adapter has", async () => {
    let isDone = false;
    const observability = production("users-api")
      .with(adapter("a", { [step]: () => Promise.reject(new Error("at once")) }))
      .with(
        adapter("b", {
          [step]: async () => {
            for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
            isDone = true;
          },
        }),
      );
    observability.jobRunner();

    await expect(observability[step]()).rejects.toThrow(AggregateError);
    expect(isDone).toBe(true);
  });

  test("may be repeated, and does nothing for a facade that was never used", async () => {
    const calls: string[] = [];
    const observability = production("users-api").with(adapter("a", { [step]: () => void calls.push(step) }));

    await observability[step]();
    expect(calls).toEqual([]);

    observability.jobRunner();
    await observability[step]();
    await observability[step]();
    expect(calls).toContain(step);
  });
});

describe("after shutdown()", () => {
  test("jobs still run, and metrics can still be read", async () => {
    const observability = production("users-api").prometheus();
    const runner = observability.jobRunner();
    await observability.shutdown();

    expect(runner.run({ name: "answer", run: () => 42 })).toBe(42);
    expect(await observability.metrics()).toContain('job_name="answer"');
  });

  test("`await using` has called it", async () => {
    const calls: string[] = [];
    {
      await using observability = production("users-api").with(
        adapter("a", { shutdown: () => void calls.push("shutdown") }),
      );
      observability.jobRunner();
    }
    expect(calls).toEqual(["shutdown"]);
  });
});
