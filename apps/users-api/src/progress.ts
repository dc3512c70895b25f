import type { JobObserver } from "@nidus/jobs-observe";
import { Presets, SingleBar } from "cli-progress";

/** A progress bar that moves as jobs end. */
export interface Progress {
  readonly observer: JobObserver;
  start(total: number): void;
  /** Sets how many jobs have not ended, in any process. The engine's number may be a moment old. */
  left(jobs: number): void;
  stop(): void;
}

/** Makes a bar on stderr. If stderr is no terminal, the bar does nothing. */
export function progressBar(): Progress {
  const bar = new SingleBar(
    { format: "{bar} {value}/{total} jobs, {eta_formatted} left", hideCursor: true, noTTYOutput: false },
    Presets.shades_classic,
  );
  if (!process.stderr.isTTY) return { observer: {}, start: () => {}, left: () => {}, stop: () => {} };
  let total = 0;
  let ended = 0;
  const move = (to: number): void => {
    ended = Math.max(ended, to);
    if (total > 0) bar.update(Math.min(ended, total));
  };
  return {
    observer: {
      // A delivery may be one of several attempts: its outcome comes when it is settled.
      onJobFinished: ({ delivery }) => void (delivery === undefined && move(ended + 1)),
      onJobSettled: ({ outcome }) => void (outcome !== "retried" && outcome !== "stalled" && move(ended + 1)),
    },
    start: (jobs) => {
      total = jobs;
      bar.start(total, Math.min(ended, total));
    },
    left: (jobs) => move(total - jobs),
    stop: () => bar.stop(),
  };
}
