import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { QueueState } from "../../src/worker/queue-state.ts";

let state: QueueState;

beforeEach(() => {
  state = new QueueState();
});

afterEach(() => vi.restoreAllMocks());

/** Makes as many looks at once as the queue may have. Returns how many. */
function lookAtOnce(): number {
  let looks = 0;
  for (; state.isHungry; looks++) state.beginLook();
  return looks;
}

function end(looks: number, hasJobs: boolean): void {
  for (let left = looks; left > 0; left--) {
    state.looked(hasJobs, undefined);
    state.endLook();
  }
}

describe("what a worker knows of a queue", () => {
  it("allows more looks at once while all of them find jobs, and one after a look without a job", () => {
    const looks = lookAtOnce();
    expect(looks).toBe(1);
    end(looks, true);
    const more = lookAtOnce();
    expect(more).toBeGreaterThan(1);
    end(more, false);
    expect(lookAtOnce()).toBe(1);
  });

  it("counts the jobs that a look may bring, and those that are about to end", () => {
    state.beginLook();
    expect(state.coming).toBe(1);
    const hasLeft = state.leave();
    expect(state.coming).toBe(0);
    hasLeft();
    state.endLook();
    expect(state.coming).toBe(0);
  });

  it("is not ready after a look without a job, and knows when the next one is due", () => {
    expect(state.isReady).toBe(true);
    state.looked(false, 1_000);
    expect([state.isReady, state.dueMs]).toEqual([false, 1_000]);
    state.looked(true, undefined);
    expect([state.isReady, state.dueMs]).toEqual([true, undefined]);
  });

  it("rests for longer after each failure, five seconds at most, until a look is answered", () => {
    vi.spyOn(performance, "now").mockReturnValue(1_000);
    const rests = Array.from({ length: 8 }, () => {
      state.backOff();
      return state.backOffLeftMs;
    });
    expect(rests).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    expect(state.isReady).toBe(false);
    state.looked(true, undefined);
    expect([state.isReady, state.backOffLeftMs]).toEqual([true, 0]);
  });
});
