import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { production } from "@nidus/observability";
import type { Reading } from "../comparison.ts";
import { spreadOf } from "../harness.ts";
import { namesOf, observerOf, promClientOf } from "./scrape.ts";

/** Measures the longest block of the event loop during a scrape, in milliseconds: the median of several scrapes. */
async function longestStretchMs(scrape: () => Promise<unknown>): Promise<number> {
  const stretches: number[] = [];
  for (let round = 0; round < 7; round++) {
    globalThis.gc?.();
    let longestMs = 0;
    let lastMs = performance.now();
    let isOver = false;
    const tick = (): void => {
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
      if (!isOver) setImmediate(tick);
    };
    setImmediate(tick);
    await scrape();
    await new Promise((resolve) => setImmediate(resolve));
    isOver = true;
    // The first scrape escapes the labels and compiles the code.
    if (round > 0) stretches.push(longestMs);
  }
  return spreadOf(stretches).median;
}

async function stretchOf(
  count: number,
  id: string,
  label: string,
  scrape: () => Promise<unknown>,
  asked?: Reading["asked"],
): Promise<Reading> {
  return {
    id: `stall-${count}${id}`,
    title: `longest stretch of the event loop in a scrape of ${count.toLocaleString("en")} job names, ${label}`,
    unit: "ms",
    value: await longestStretchMs(scrape),
    asked,
  };
}

export async function eventLoopReadings(): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const count of [10, 1_000, 10_000]) {
    const observer = observerOf(namesOf(count));
    const registry = promClientOf(namesOf(count));
    readings.push(
      await stretchOf(count, "", "observer.metrics()", () => observer.metrics(), { atMost: 50 }),
      await stretchOf(count, "-prom-client", "prom-client's own metrics", () => registry.metrics()),
    );
  }
  return [...readings, ...(await readingsOf10000())];
}

/** Other ways to write the same number of series. */
async function readingsOf10000(): Promise<Reading[]> {
  const names = namesOf(10_000);
  const { registry } = observerOf(names);
  const openMetrics = observerOf(names, ({ runId }) => ({ run_id: runId }));
  const handler = production("bench").prometheus({ registry }).metricsHandler();
  const answer = (): Promise<void> => {
    const request = new IncomingMessage(new Socket());
    return handler(Object.assign(request, { method: "GET" }), new ServerResponse(request));
  };
  return [
    await stretchOf(
      names.length,
      "-openmetrics",
      "observer.metrics() in OpenMetrics with exemplars",
      () => openMetrics.metrics(),
      { atMost: 50 },
    ),
    await stretchOf(names.length, "-handler", "answered by metricsHandler()", answer, { atMost: 50 }),
    {
      ...(await stretchOf(names.length, "-registry", "observer.registry.metrics()", () =>
        registry.metrics(),
      )),
      note: "prom-client's registry writes a metric in one go",
    },
  ];
}
