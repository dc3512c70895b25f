/** Upper bounds of the buckets of durations and waits, in seconds: from 5 ms to an hour, the range of background jobs. */
export const durationBoundsSeconds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600,
];

/** Help texts of the metrics that several observers publish, such as for Prometheus and for OpenTelemetry. */
export const jobMetricHelp = {
  started: "Job runs that started.",
  finished: "Job runs that finished, by how they ended.",
  inProgress: "Job runs that have started and not finished.",
  duration: "How long job runs took, by how they ended.",
  lastSuccess: "Unix time at which the job last succeeded.",
  enqueued: "Jobs handed to an engine.",
  retries: "Deliveries that ended in another attempt.",
  deadLettered: "Jobs that failed for the last time, or were given up by their engine.",
  stalled: "Attempts whose worker died or lost its lease before it could record an outcome.",
  successInterval: "The longest time between two successes that the job's owner promises.",
  waitObjective: "The longest wait for a start that the job's owner promises.",
  durationObjective: "The longest duration of a run that the job's owner promises.",
  engineUp: "Whether the engine answers: 1 or 0.",
  wait: "How long jobs waited between the moment they could start and their start.",
} as const;
