import { job } from "@nidus/jobs-core";
import {
  currentJobObserver,
  type JobObserver,
  jobObserverChannel,
  ObservedJobRunner,
} from "@nidus/jobs-observe";
import { diagnosticsChannelObserver } from "@nidus/jobs-observe/diagnostics-channel";
import { production } from "@nidus/observability";
import { Counter, Histogram, Registry } from "prom-client";
import type { Comparison, Side } from "../comparison.ts";
import { operations, twoClockReads } from "./clock.ts";
import { eachShape } from "./shapes.ts";

const work = job("send_digest", () => {});
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600];

function repeated(label: string, run: () => unknown): Side {
  return {
    label,
    run: () => {
      for (let i = 0; i < operations; i++) run();
    },
  };
}

const noOp: JobObserver = { onJobStarted() {}, onJobFinished() {} };
const bareRunner = new ObservedJobRunner();
const noOpRunner = new ObservedJobRunner(noOp);
const prometheusRunner = production("bench").prometheus().jobRunner();
const scopedRunner = new ObservedJobRunner(currentJobObserver());
const channelsRunner = new ObservedJobRunner(diagnosticsChannelObserver());
const exemplarRunner = production("bench")
  .prometheus({ exemplars: ({ runId }) => ({ run_id: runId }) })
  .jobRunner();
const prometheusRun = repeated("production(…).prometheus().jobRunner().run", () =>
  prometheusRunner.run(work),
);

/** Measures two counters and a histogram, used as in prom-client's documentation. */
function promClient() {
  const registers = [new Registry()];
  const labelled = { labelNames: ["job_name", "status"] as const, registers };
  return {
    started: new Counter({ name: "started_total", help: "x", labelNames: ["job_name"] as const, registers }),
    finished: new Counter({ name: "finished_total", help: "x", ...labelled }),
    durations: new Histogram({ name: "duration_seconds", help: "x", buckets, ...labelled }),
  };
}

const idiomatic = promClient();
function runByHand(work: { readonly name: string; run(): unknown }): void {
  const job_name = work.name;
  idiomatic.started.inc({ job_name });
  const startMs = performance.now();
  let status = "success";
  try {
    work.run();
  } catch (error) {
    status = "failure";
    throw error;
  } finally {
    idiomatic.durations.observe({ job_name, status }, (performance.now() - startMs) / 1000);
    idiomatic.finished.inc({ job_name, status });
  }
}

const promClientByHand = repeated("prom-client by hand, labels as objects", () => runByHand(work));

const unbound = promClient();
const bound = {
  started: unbound.started.labels(work.name),
  succeeded: unbound.finished.labels(work.name, "success"),
  failed: unbound.finished.labels(work.name, "failure"),
  durations: unbound.durations.labels(work.name, "success"),
  failedDurations: unbound.durations.labels(work.name, "failure"),
};
const promClientBound = repeated("prom-client by hand, labels bound before", () => {
  bound.started.inc();
  const startMs = performance.now();
  try {
    work.run();
    bound.durations.observe((performance.now() - startMs) / 1000);
    bound.succeeded.inc();
  } catch (error) {
    bound.failedDurations.observe((performance.now() - startMs) / 1000);
    bound.failed.inc();
    throw error;
  }
});

const failingWork = job("send_digest", () => {
  throw new TypeError("no address");
});
const failingRun = repeated("production(…).prometheus().jobRunner().run", () => {
  try {
    prometheusRunner.run(failingWork);
  } catch {}
});
const failingByHand = repeated("prom-client by hand, labels as objects", () => {
  try {
    runByHand(failingWork);
  } catch {}
});

const [channelObserver, receiver] = jobObserverChannel();
const channelRunner = new ObservedJobRunner(channelObserver);
const sentAndRead = repeated("run with a channel, both events read", () => {
  channelRunner.run(work);
  for (const _event of receiver.tryIter());
});

export const runComparisons: readonly Comparison[] = [
  {
    id: "run-bare",
    title: "observed run, observer without effect, against the bare call",
    operations,
    ours: repeated("ObservedJobRunner.run", () => noOpRunner.run(work)),
    peer: repeated("job.run()", () => work.run()),
    asked: undefined,
    note: "a bare call of an empty job is a few nanoseconds: the price of an observed run is its own time",
  },
  {
    id: "run-noop",
    title: "observed run, observer without effect, against two clock reads",
    operations,
    ours: repeated("ObservedJobRunner.run", () => noOpRunner.run(work)),
    peer: twoClockReads,
    asked: { atMost: 1.5 },
  },
  {
    id: "run-prometheus-clock",
    title: "run with Prometheus against two clock reads",
    operations,
    ours: prometheusRun,
    peer: twoClockReads,
    asked: { atMost: 2 },
  },
  {
    id: "run-prometheus-by-hand",
    title: "run with Prometheus against prom-client by hand",
    operations,
    ours: prometheusRun,
    peer: promClientByHand,
    asked: { timesFaster: 6 },
    note: "by hand there are two counters and a histogram; ours also has what is in progress and the time of the last success",
  },
  {
    id: "run-prometheus-shapes",
    title: "run with Prometheus against prom-client by hand, 32 classes of jobs in turn",
    operations,
    ours: { label: prometheusRun.label, run: eachShape(operations, (work) => prometheusRunner.run(work)) },
    peer: { label: promClientByHand.label, run: eachShape(operations, runByHand) },
    asked: { timesFaster: 6 },
  },
  {
    id: "run-failing",
    title: "failing run with Prometheus against prom-client by hand",
    operations,
    ours: failingRun,
    peer: failingByHand,
    asked: { atMost: 1.5 },
    note: "an error with its stack is made in each run, on both sides",
  },
  {
    id: "run-noop-collected",
    title: "observed run right after a full garbage collection, against two clock reads",
    operations,
    ours: repeated("ObservedJobRunner.run", () => noOpRunner.run(work)),
    peer: twoClockReads,
    asked: { atMost: 1.8 },
    followsCollection: true,
  },
  {
    id: "run-prometheus-collected",
    title: "run with Prometheus right after a full garbage collection, against two clock reads",
    operations,
    ours: prometheusRun,
    peer: twoClockReads,
    asked: { atMost: 2.2 },
    followsCollection: true,
  },
  {
    id: "run-prometheus-bound",
    title: "run with Prometheus against prom-client with bound labels",
    operations,
    ours: prometheusRun,
    peer: promClientBound,
    asked: undefined,
  },
  {
    id: "run-current-job",
    title: "run with currentJobObserver against two clock reads",
    operations,
    ours: repeated("ObservedJobRunner.run", () => scopedRunner.run(work)),
    peer: twoClockReads,
    asked: undefined,
    note: "opt-in: an AsyncLocalStorage.run, and the scope around it",
  },
  {
    id: "run-diagnostics-channel",
    title: "run with diagnosticsChannelObserver and no subscriber, against a run without an observer",
    operations,
    ours: repeated("ObservedJobRunner.run", () => channelsRunner.run(work)),
    peer: repeated("ObservedJobRunner.run, no observer", () => bareRunner.run(work)),
    asked: undefined,
    note: "the check for subscribers",
  },
  {
    id: "run-exemplars",
    title: "run with Prometheus and exemplars against two clock reads",
    operations,
    ours: repeated("ObservedJobRunner.run", () => exemplarRunner.run(work)),
    peer: twoClockReads,
    asked: undefined,
    note: "opt-in: a run id, and an exemplar that is checked, for every run",
  },
  {
    id: "channel",
    title: "run with a channel, sent and read, against two clock reads",
    operations,
    ours: sentAndRead,
    peer: twoClockReads,
    asked: { atMost: 3 },
  },
];
