import type { JobObserver } from "@nidus/jobs-observe";
import { Presets, SingleBar } from "cli-progress";

/** A progress bar that is moved by finished runs. */
export interface Progress {
  readonly observer: JobObserver;
  start(total: number): void;
  stop(): void;
}

/** A bar on stderr; where that is no terminal, nothing. */
export function progressBar(): Progress {
  const bar = new SingleBar(
    { format: "{bar} {value}/{total} jobs, {eta_formatted} left", hideCursor: true, noTTYOutput: false },
    Presets.shades_classic,
  );
  if (!process.stderr.isTTY) return { observer: {}, start: () => {}, stop: () => {} };
  return {
    observer: { onJobFinished: () => bar.increment() },
    start: (total) => bar.start(total, 0),
    stop: () => bar.stop(),
  };
}
