import { invalidArgument, requireWholeNumber } from "@nidus/jobs-core/adapter";
import type { ObservabilityAdapter } from "@nidus/observability";
import { Datagrams } from "./datagrams.ts";
import { statsdJobObserver } from "./statsd-job-observer.ts";

/** Options of {@link statsd}. */
export interface StatsdOptions {
  /** The agent's host. @default "127.0.0.1" */
  readonly host?: string | undefined;
  /** The agent's UDP port: a whole number from 1 to 65,535. @default 8125 */
  readonly port?: number | undefined;
  /** The prefix of every metric's name. @default "nidus." */
  readonly prefix?: string | undefined;
}

/**
 * Sends job runs as StatsD metrics, with the tags of DogStatsD: `production("users-api").with(statsd())`. It never waits for the
 * agent, and drops lines that it cannot send.
 *
 * @throws TypeError or RangeError for an invalid option.
 */
export function statsd({
  host = "127.0.0.1",
  port = 8125,
  prefix = "nidus.",
}: StatsdOptions = {}): ObservabilityAdapter {
  if (!host || typeof host !== "string") throw invalidArgument("`host`", "a non-empty string", host);
  if (requireWholeNumber("`port`", port) > 65_535) {
    throw invalidArgument("`port`", "at most 65535", port, RangeError);
  }
  if (typeof prefix !== "string" || !/^[\w.-]*$/.test(prefix)) {
    throw invalidArgument("`prefix`", "letters, digits, dots and dashes", prefix);
  }
  const datagrams = new Datagrams(host, port);
  return {
    name: "statsd",
    jobObserver: ({ serviceName }) =>
      statsdJobObserver({ prefix, serviceName, send: (line) => datagrams.add(line) }),
    forceFlush: () => datagrams.flush(),
    shutdown: () => datagrams.close(),
  };
}
