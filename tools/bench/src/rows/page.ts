import { job } from "@nidus/jobs-core";
import { jobDashboard } from "@nidus/jobs-dashboard";
import { jobObserverChannel, ObservedJobRunner } from "@nidus/jobs-observe";
import type { Comparison } from "../comparison.ts";
import { operations } from "./clock.ts";

const work = job("send_digest", () => {});
const [channelObserver, receiver] = jobObserverChannel();
const channelRunner = new ObservedJobRunner(channelObserver);
const pageRunner = new ObservedJobRunner(jobDashboard().jobObserver({ serviceName: "bench" }));

export const pageComparisons: readonly Comparison[] = [
  {
    id: "page",
    title: "run that the jobs page shows, against a run with a channel, sent and read",
    operations,
    ours: {
      label: "run with jobDashboard()",
      run: () => {
        for (let i = 0; i < operations; i++) pageRunner.run(work);
      },
    },
    peer: {
      label: "run with a channel, both events read",
      run: () => {
        for (let i = 0; i < operations; i++) {
          channelRunner.run(work);
          for (const _event of receiver.tryIter());
        }
      },
    },
    asked: { atMost: 1 },
  },
];
