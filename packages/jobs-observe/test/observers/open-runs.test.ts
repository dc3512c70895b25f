import { asyncJob } from "@nidus/jobs-core";
import { describe, expect, it } from "vitest";
import { OpenRuns, startedContext } from "../../src/adapter.ts";
import { type ObservedJobContext, ObservedJobRunner } from "../../src/index.ts";

/** Starts runs that end when `end` is called with their number. Keeps the context of each start and finish. */
function runs(count: number) {
  const started: ObservedJobContext[] = [];
  const finished = new Map<ObservedJobContext, ObservedJobContext>();
  const runner = new ObservedJobRunner({
    onJobStarted: (context) => void started.push(context),
    onJobFinished: (context) => void finished.set(startedContext(context), context),
  });
  const ends = Array.from({ length: count }, (_, index) => {
    let end = () => {};
    const running = runner.runAsync(
      asyncJob(`job_${index}`, () => new Promise<void>((done) => (end = done))),
    );
    return async () => {
      end();
      await running;
      return finished.get(started[index] as ObservedJobContext) as ObservedJobContext;
    };
  });
  return { started, end: (index: number) => (ends[index] as (typeof ends)[number])() };
}

describe("OpenRuns", () => {
  // One run, as many as are searched and as many as need a Map, in three orders of ending.
  const orders: readonly (readonly [string, (index: number, count: number) => number])[] = [
    ["the first first", (index) => index],
    ["the last first", (index, count) => count - 1 - index],
    ["mixed", (index, count) => (index * 7) % count],
  ];
  it.each([1, 2, 12, 50].flatMap((count) => orders.map(([order, at]) => [count, order, at] as const)))(
    "keeps the value of each of %d runs until it ends, %s",
    async (count, _order, at) => {
      const { started, end } = runs(count);
      const open = new OpenRuns<number>();
      started.forEach((context, index) => {
        open.add(context, index);
      });
      const left = new Set(started.keys());
      for (let index = 0; index < count; index++) {
        expect(new Map(open.entries)).toEqual(
          new Map([...left].map((each) => [started[each] as ObservedJobContext, each])),
        );
        const ended = at(index, count);
        const context = await end(ended);
        expect(open.take(context)).toBe(ended);
        expect(open.take(context)).toBeUndefined();
        left.delete(ended);
      }
      expect(open.entries).toEqual([]);
    },
  );

  it("has no value for a run that it does not keep", async () => {
    const { started, end } = runs(3);
    const open = new OpenRuns<string>();
    open.add(started[0] as ObservedJobContext, "a");
    open.add(started[1] as ObservedJobContext, "b");
    expect(open.take(await end(2))).toBeUndefined();
    expect(open.entries.map(([, value]) => value)).toEqual(["a", "b"]);
  });

  it("keeps no run that has ended", async () => {
    const { started, end } = runs(2);
    const open = new OpenRuns<string>();
    for (const context of started) open.add(context, "value");
    open.take(await end(0));
    open.add(started[0] as ObservedJobContext, "again");
    expect(open.entries.map(([, value]) => value).sort()).toEqual(["again", "value"]);
    open.take(await end(1));
    expect(open.entries.map(([, value]) => value)).toEqual(["again"]);
  });
});
