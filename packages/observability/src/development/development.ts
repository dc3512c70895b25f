import { invalidArgument, requireFunction, requireKnownKeys, requireText } from "@nidus/jobs-core/adapter";
import type { ObservabilityAdapter } from "../adapter.ts";
import { Observability } from "../observability.ts";
import { FailureGroups } from "./failure-groups.ts";
import { paintFor } from "./paint.ts";
import { Progress } from "./progress.ts";
import { failureText, runLine, settlementLine } from "./run-lines.ts";
import { Terminal } from "./terminal.ts";

/** Options of {@link development}. */
export interface DevelopmentOptions {
  /** The stream to write to. Colours and the progress bar need a terminal. @default process.stderr */
  readonly stream?: NodeJS.WritableStream | undefined;
  /**
   * Returns how many jobs wait in your own queues, such as `() => queue.size`, for the bar. The bar asks engines by
   * itself. @default none
   */
  readonly waiting?: (() => number) | undefined;
}

/**
 * Begins a set-up for your own machine. It writes a readable line for every finished run. On a terminal, it also shows
 * a bar of running and waiting jobs, with the failures and the runs per second. It writes at most 200 lines a second, and three for
 * failures of one kind; it counts the rest. `shutdown` writes a summary, such as "120 × send_digest: no address".
 *
 * @throws TypeError if the service's name is not a non-empty string, or for an invalid option.
 */
export function development(serviceName: string, options: DevelopmentOptions = {}): Observability {
  requireText("the service's name", serviceName);
  requireKnownKeys("the options of development", options, ["stream", "waiting"]);
  const { stream = process.stderr, waiting = () => 0 } = options;
  if (typeof stream?.write !== "function") throw invalidArgument("`stream`", "a writable stream", stream);
  requireFunction("`waiting`", waiting);
  const make = (): ObservabilityAdapter => linesAdapter(stream, waiting);
  return new Observability({ serviceName }, new Map([["development", { make }]]));
}

/** How often the bar is redrawn, in milliseconds. */
const redrawMs = 100;

function linesAdapter(stream: NodeJS.WritableStream, waiting: () => number): ObservabilityAdapter {
  const paint = paintFor(stream);
  const terminal = new Terminal(stream);
  const progress = new Progress(waiting);
  const failures = new FailureGroups();
  let redraw: NodeJS.Timeout | undefined;

  /** Redraws while there is something to show. Keeps no process alive. */
  const show = (): void => {
    if (!terminal.isLive || redraw !== undefined) return;
    redraw = setTimeout(() => {
      redraw = undefined;
      terminal.status(progress.text());
      if (progress.isUnderWay) show();
    }, redrawMs).unref();
  };

  return {
    name: "development",
    jobObserver: () => ({
      onEngineOpened: (engine) => progress.open(engine),
      onJobStarted({ delivery }) {
        progress.start(delivery !== undefined);
        show();
      },
      onJobFinished(context, status, error) {
        progress.finish(status);
        const isNew = status !== "failure" || failures.add(...failureText(context.jobName, error));
        if (isNew) terminal.line(runLine(context, status, error, paint));
        show();
      },
      onJobSettled(context) {
        const line = settlementLine(context, paint);
        if (line !== undefined) terminal.line(line);
      },
    }),
    shutdown() {
      clearTimeout(redraw);
      redraw = undefined;
      terminal.end([progress.summary(), ...failures.lines()].filter((line) => line !== "").join("\n"));
    },
  };
}
