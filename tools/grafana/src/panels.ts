import { age, engines, jobs, latest, perJob, quantile, rate, runs } from "./expressions.ts";
import type { RowSpec } from "./panel-spec.ts";

const perJobLegend = "{{job_name}}";

export const rows: readonly RowSpec[] = [
  {
    title: "Overview",
    panels: [
      {
        kind: "stat",
        title: "Runs",
        description: "Runs that ended, per second, over all selected jobs.",
        unit: "ops",
        queries: [[`sum(${runs('!=""')})`, ""]],
        width: 4,
      },
      {
        kind: "stat",
        title: "Failures",
        description: "Share of runs that failed. Cancelled runs count as neither.",
        unit: "percentunit",
        queries: [[`(sum(${runs('="failure"')}) or vector(0)) / sum(${runs('!="cancelled"')})`, ""]],
        width: 4,
      },
      {
        kind: "stat",
        title: "Running",
        description: "Runs under way in all processes.",
        unit: "short",
        queries: [[`sum(nidus_jobs_in_progress{${jobs}})`, ""]],
        width: 4,
      },
      {
        kind: "stat",
        title: "Oldest waiting",
        description: "How long the oldest waiting job has waited for a worker. 0 if none waits.",
        unit: "s",
        queries: [[`(time() - min(nidus_job_oldest_waiting_timestamp_seconds{${jobs}})) or vector(0)`, ""]],
        width: 4,
      },
      {
        kind: "stat",
        title: "Dead letters",
        description: "Jobs that failed for the last time and are still stored.",
        unit: "short",
        queries: [[`sum(${latest("dead_letters")})`, ""]],
        width: 4,
      },
      {
        kind: "stat",
        title: "Engines that answer",
        description: "1 if every process gets an answer from its engine, 0 if one gets none.",
        unit: "bool_on_off",
        queries: [[`min(nidus_engine_up{${engines}})`, ""]],
        width: 4,
      },
      {
        kind: "table",
        title: "Jobs, worst first",
        description:
          "Failures of the last hour, the time since the last success, the age of the oldest waiting job and dead letters of each job.",
        unit: "short",
        queries: [
          [
            `sort_desc(${perJob(`increase(nidus_jobs_finished_total{${jobs},status="failure"}[1h])`)})`,
            "Failures in 1 h",
          ],
          [age("max", "job_last_success_timestamp_seconds"), "Since last success (s)"],
          [latest("jobs_waiting"), "Waiting"],
          [latest("dead_letters"), "Dead letters"],
        ],
        width: 24,
      },
    ],
  },
  {
    title: "Runs",
    panels: [
      {
        kind: "timeseries",
        title: "Runs by status",
        description: "Runs that ended, per second, by how they ended.",
        unit: "ops",
        queries: [[`sum by (status) (${runs('!=""')})`, "{{status}}"]],
        width: 12,
      },
      {
        kind: "timeseries",
        title: "Share of failures",
        description: "Share of runs that failed, for each job. Each attempt of a stored job is a run.",
        unit: "percentunit",
        queries: [[`${perJob(runs('="failure"'))} / ${perJob(runs('!="cancelled"'))}`, perJobLegend]],
        width: 12,
      },
      {
        kind: "timeseries",
        title: "Duration",
        description:
          "Median and 95th percentile of the duration of successful runs, and the job's objective if it has one.",
        unit: "s",
        queries: [
          [quantile(0.5, "job_duration_seconds", `${jobs},status="success"`), "{{job_name}} p50"],
          [quantile(0.95, "job_duration_seconds", `${jobs},status="success"`), "{{job_name}} p95"],
          [latest("job_objective_duration_seconds"), "{{job_name}} objective"],
        ],
        width: 12,
      },
      {
        kind: "timeseries",
        title: "Longest run under way",
        description:
          "How long the oldest unfinished run of each job has been running. A run that hangs shows here and in no histogram.",
        unit: "s",
        queries: [[age("min", "job_oldest_running_start_timestamp_seconds"), perJobLegend]],
        width: 12,
      },
      {
        kind: "timeseries",
        title: "Since the last success",
        description: "Time since each job succeeded in any process, and its objective if it has one.",
        unit: "s",
        queries: [
          [age("max", "job_last_success_timestamp_seconds"), perJobLegend],
          [latest("job_objective_success_interval_seconds"), "{{job_name}} objective"],
        ],
        width: 12,
      },
      {
        kind: "timeseries",
        title: "Under way",
        description: "Runs under way in all processes, for each job.",
        unit: "short",
        queries: [[perJob(`nidus_jobs_in_progress{${jobs}}`), perJobLegend]],
        width: 12,
      },
    ],
  },
  {
    title: "Stored jobs",
    panels: [
      {
        kind: "timeseries",
        title: "Enqueued and started",
        description:
          "Jobs enqueued and runs started, per second. If more are enqueued than started for long, the backlog grows.",
        unit: "ops",
        queries: [
          [`sum(${rate("jobs_enqueued_total")})`, "enqueued"],
          [`sum(${rate("jobs_started_total")})`, "started"],
        ],
        width: 12,
      },
      {
        kind: "timeseries",
        title: "Age of the backlog",
        description:
          "How long the oldest waiting job of each name has waited, and the job's objective if it has one.",
        unit: "s",
        queries: [
          [age("min", "job_oldest_waiting_timestamp_seconds"), perJobLegend],
          [latest("job_objective_wait_seconds"), "{{job_name}} objective"],
        ],
        width: 12,
      },
      {
        kind: "timeseries",
        title: "Backlog",
        description: "Jobs that could run and wait for a worker, as the engine says.",
        unit: "short",
        queries: [[latest("jobs_waiting"), perJobLegend]],
        width: 12,
      },
      {
        kind: "timeseries",
        title: "Wait",
        description: "95th percentile of the time from the moment a job could start to the start of its run.",
        unit: "s",
        queries: [[quantile(0.95, "job_wait_seconds"), perJobLegend]],
        width: 12,
      },
      {
        kind: "timeseries",
        title: "Retries, stalled attempts, dead letters",
        description:
          "Failures that are tried again, attempts whose worker died, and jobs that failed for the last time, per second.",
        unit: "ops",
        queries: [
          [`sum(${rate("job_retries_total")})`, "retries"],
          [`sum(${rate("job_stalled_total")})`, "stalled"],
          [`sum(${rate("jobs_dead_lettered_total")})`, "dead letters"],
        ],
        width: 12,
      },
      {
        kind: "timeseries",
        title: "Dead letters kept",
        description: "Dead letters of each job that the engine still has.",
        unit: "short",
        queries: [[latest("dead_letters"), perJobLegend]],
        width: 12,
      },
    ],
  },
  {
    title: "Engines, workers and schedules",
    panels: [
      {
        kind: "timeseries",
        title: "Engine answers",
        description: "1 if the engine answered at the scrape of this process, 0 if not.",
        unit: "bool_on_off",
        queries: [[`nidus_engine_up{${engines}}`, "{{engine}} {{instance}}"]],
        width: 8,
      },
      {
        kind: "timeseries",
        title: "Since a worker asked for jobs",
        description:
          "Time since the store answered the worker of a process that asked last. It grows if a worker hangs.",
        unit: "s",
        queries: [
          [`time() - nidus_worker_last_fetch_timestamp_seconds{${engines}}`, "{{engine}} {{instance}}"],
        ],
        width: 8,
      },
      {
        kind: "timeseries",
        title: "Since a schedule was due",
        description: "Time since the latest moment at which a schedule of the job was due.",
        unit: "s",
        queries: [[age("max", "job_last_scheduled_timestamp_seconds"), perJobLegend]],
        width: 8,
      },
    ],
  },
];
