import { afterEach, describe, expect, it, vi } from "vitest";
import { ObservedJobRunner } from "../../src/index.ts";

afterEach(() => void vi.useRealTimers());

interface Times {
  readonly startedAtMs: number;
  readonly durationMs: number;
}

/** Runs a job that takes `step`, and returns what observers read of it: at its start, and at its end. */
async function timesOf(step: () => void): Promise<Times> {
  let startedAtMs = Number.NaN;
  let durationMs = Number.NaN;
  const runner = new ObservedJobRunner({
    onJobStarted(context) {
      startedAtMs = context.startedAtMs;
    },
    onJobFinished(context) {
      expect(context.startedAtMs).toBe(startedAtMs);
      durationMs = context.durationMs ?? Number.NaN;
    },
  });
  await runner.runAsync({ name: "timed", run: async () => step() });
  return { startedAtMs, durationMs };
}

/** About now, on a machine that does other things as well. */
const withinMs = 60_000;

describe("the times of a run", () => {
  const moments = [0, 86_400_000, Date.UTC(2001), Date.UTC(2100)];

  it.each(
    moments.flatMap((nowMs) =>
      [["Date"], ["performance"], ["Date", "performance"]].map((fakes) => [fakes, nowMs] as const),
    ),
  )("are plausible if a test fakes %o, and starts at %d", async (fakes, nowMs) => {
    await timesOf(() => {});
    vi.useFakeTimers({ toFake: fakes as ("Date" | "performance")[], now: nowMs });
    const isDateFaked = fakes.includes("Date");
    const isDurationFaked = fakes.includes("performance");
    const faked = await timesOf(() => vi.advanceTimersByTime(5_000));
    const expectedMs = isDateFaked ? nowMs : Date.now();
    expect(faked.startedAtMs).toBeGreaterThanOrEqual(0);
    expect(Math.abs(faked.startedAtMs - expectedMs)).toBeLessThan(withinMs);
    expect(faked.durationMs).toBeGreaterThanOrEqual(isDurationFaked ? 5_000 : 0);
    expect(faked.durationMs).toBeLessThan(isDurationFaked ? 5_001 : withinMs);

    vi.setSystemTime(nowMs + 3_600_000);
    const moved = await timesOf(() => {});
    expect(Math.abs(moved.startedAtMs - (isDateFaked ? nowMs + 3_600_000 : Date.now()))).toBeLessThan(
      withinMs,
    );

    vi.useRealTimers();
    const real = await timesOf(() => {});
    expect(Math.abs(real.startedAtMs - Date.now())).toBeLessThan(withinMs);
    expect(real.durationMs).toBeLessThan(withinMs);
  });

  it("are finite and not negative if the clocks are replaced during the run", async () => {
    for (const fakes of [["Date"], ["performance"], ["Date", "performance"]] as const) {
      const replaced = await timesOf(() => void vi.useFakeTimers({ toFake: [...fakes], now: 0 }));
      const restored = await timesOf(() => void vi.useRealTimers());
      for (const { startedAtMs, durationMs } of [replaced, restored]) {
        expect(startedAtMs).toBeGreaterThanOrEqual(0);
        expect(durationMs).toBeGreaterThanOrEqual(0);
        expect(startedAtMs + durationMs).toBeLessThan(Date.now() + withinMs);
      }
    }
  });
});
