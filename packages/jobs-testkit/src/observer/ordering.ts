import assert from "node:assert/strict";
import { asyncJob, job } from "@nidus/jobs-core";
import type { JobObserver } from "@nidus/jobs-observe";
import type { Behaviour } from "./behaviour.ts";
import type { Subject } from "./subject.ts";

/** Makes an observer that notes the order in which it hears of runs. */
function listener(name: string, heard: string[]): JobObserver {
  return {
    onJobStarted: ({ jobName }) => void heard.push(`${name} ${jobName} started`),
    onJobFinished: ({ jobName }) => void heard.push(`${name} ${jobName} finished`),
  };
}

const concurrentRuns = 200;

/** Runs many jobs of a few names at the same time. They end in the order of `positions`. */
async function endInOrder(subject: Subject, positions: readonly number[]): Promise<void> {
  const runner = subject.runner();
  const ends = new Map<number, () => void>();
  const running = positions.map((_, position) =>
    runner.runAsync(
      asyncJob(`concurrent_${position % 3}`, async () => {
        await new Promise<void>((resolve) => ends.set(position, resolve));
        if (position % 5 === 0) throw new Error("one of five");
      }),
    ),
  );
  for (const position of positions) {
    ends.get(position)?.();
    await Promise.allSettled([running[position]]);
  }
}

export const ordering: Behaviour = (declare) => {
  declare("works among other observers, which start before it and finish after it", async ({ subject }) => {
    const heard: string[] = [];
    const runner = subject.runner({ before: listener("before", heard), after: listener("after", heard) });
    runner.run(job("a", () => heard.push("run")));
    await runner.runAsync(asyncJob("b", async () => heard.push("run")));
    const story = (name: string): string[] => [
      `before ${name} started`,
      `after ${name} started`,
      "run",
      `after ${name} finished`,
      `before ${name} finished`,
    ];
    assert.deepEqual(heard, [...story("a"), ...story("b")]);
    await subject.hasThrownNothing();
  });

  declare("follows runs within runs", async ({ subject }) => {
    const runner = subject.runner();
    const inner = job("inner", () => "deep");
    const middle = job("middle", () => runner.run(inner));
    assert.equal(runner.run(job("outer", () => runner.run(middle))), "deep");
    const outer = asyncJob("outer", async () => {
      const results = await Promise.all([
        runner.runAsync(asyncJob("inner", async () => runner.run(inner))),
        runner.runAsync(middle),
      ]);
      return results.join();
    });
    assert.equal(await runner.runAsync(outer), "deep,deep");
    await subject.hasThrownNothing();
  });

  declare("follows many runs at once, which finish in any order", async ({ subject }) => {
    const positions = Array.from({ length: concurrentRuns }, (_, position) => position);
    await endInOrder(subject, positions);
    await endInOrder(subject, positions.toReversed());
    // A mixed order: 77 and 200 have no common divisor, so each position comes once.
    await endInOrder(
      subject,
      positions.map((position) => (position * 77) % concurrentRuns),
    );
    await subject.hasThrownNothing();
  });
};
