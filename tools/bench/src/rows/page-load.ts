import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { type Job, job } from "@nidus/jobs-core";
import { jobDashboard } from "@nidus/jobs-dashboard";
import { jobObserverChannel, ObservedJobRunner } from "@nidus/jobs-observe";
import type { Reading } from "../comparison.ts";
import { spreadOf } from "../harness.ts";

const seconds = 60;
const runsPerSecond = 10_000;
const viewers = 5;
const jobs = Array.from({ length: 20 }, (_, index) => job(`job_${index}`, () => {}));

/** Holds the streams of all viewers, in a process of its own, until it is told to end. */
const viewing = `
  const [url, viewers] = process.argv.slice(1);
  let bytes = 0;
  const views = ["overview", "failures", "running", "job?name=job_0", "engines"];
  await Promise.all(Array.from({ length: Number(viewers) }, async (_, index) => {
    const [view, query = ""] = views[index % views.length].split("?");
    const answer = await fetch(url + "/api/stream?view=" + view + "&" + query);
    console.log(answer.status);
    for await (const part of answer.body) bytes += part.length;
  }));
`;

/** Measures a run with an observer: the median of all batches, in nanoseconds. */
class Timed {
  readonly #runner: ObservedJobRunner;
  readonly #batches: number[] = [];

  constructor(runner: ObservedJobRunner) {
    this.#runner = runner;
  }

  run(count: number): void {
    const startMs = performance.now();
    for (let index = 0; index < count; index++) this.#runner.run(jobs[index % jobs.length] as Job);
    this.#batches.push(((performance.now() - startMs) * 1e6) / count);
  }

  get nanoseconds(): number {
    return spreadOf(this.#batches).median;
  }
}

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1e6;
}

/** Runs jobs at a steady rate for a minute while viewers have the page open. */
export async function pageLoadReadings(): Promise<Reading[]> {
  const page = jobDashboard();
  const server = createServer(page.handler()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [channelObserver, receiver] = jobObserverChannel();
  const watched = new Timed(new ObservedJobRunner(page.jobObserver({ serviceName: "bench" })));
  const sent = new Timed(new ObservedJobRunner(channelObserver));
  const reading = (async () => {
    for await (const _event of receiver);
  })();
  const viewer = spawn(process.execPath, ["--input-type=module", "-e", viewing, url, String(viewers)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(viewer.stdout, "data");
  const heaps: number[] = [];
  let done = 0;
  const startMs = performance.now();
  for (let elapsedMs = 0; elapsedMs < seconds * 1_000; ) {
    await pause(1);
    elapsedMs = performance.now() - startMs;
    const due = Math.min(seconds * runsPerSecond, Math.floor((elapsedMs / 1_000) * runsPerSecond)) - done;
    if (due === 0) continue;
    done += due;
    // The first one finds cold caches.
    for (const timed of elapsedMs % 2 < 1 ? [watched, sent] : [sent, watched]) timed.run(due);
    if (heaps.length < Math.floor(elapsedMs / 10_000)) heaps.push(heapMb());
  }
  viewer.kill();
  page.shutdown();
  receiver.close();
  await reading;
  server.close();
  server.closeAllConnections();
  const load = `${runsPerSecond.toLocaleString("en")} runs a second for ${seconds} s, ${viewers} viewers of the jobs page`;
  return [
    {
      id: "page-load-run",
      title: `${load}: a run's time over that of a run with a channel that is read`,
      unit: "x",
      value: watched.nanoseconds / sent.nanoseconds,
      asked: { atMost: 1 },
      note: `${watched.nanoseconds.toFixed(0)} and ${sent.nanoseconds.toFixed(0)} ns at the median, ${done.toLocaleString("en")} runs each`,
    },
    {
      id: "page-load-heap",
      title: `${load}: growth of the heap in the last 50 seconds`,
      unit: "MB",
      value: (heaps.at(-1) ?? 0) - (heaps[0] ?? 0),
      asked: { atMost: 10 },
    },
  ];
}
