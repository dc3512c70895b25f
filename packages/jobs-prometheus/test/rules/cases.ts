/** Scraped series, and when an alert fires for them. */
export interface AlertCase {
  readonly alert: string;
  /** One sample a minute, in promtool's notation: `0+2x9` is 0, 2, 4 … 18, `1x9` is always 1, and `_x9` is nothing. */
  readonly series: Readonly<Record<string, string>>;
  /** How many alerts fire, by minute. */
  readonly firing: Readonly<Record<number, number>>;
}

const finished = (status: string, job = "a", jobName = "mail", instance = "1"): string =>
  `nidus_jobs_finished_total{job="${job}",instance="${instance}",job_name="${jobName}",status="${status}"}`;

const of = (metric: string, job = "a", jobName = "mail", instance = "1"): string =>
  `nidus_${metric}{job="${job}",instance="${instance}",job_name="${jobName}"}`;

const ofEngine = (metric: string, instance = "1"): string =>
  `nidus_${metric}{job="a",instance="${instance}",engine="bullmq"}`;

const up = 'up{job="a",instance="1"}';

export const alertCases: Readonly<Record<string, AlertCase>> = {
  "failures above a tenth, beside many cancelled runs": {
    alert: "JobFailing",
    series: {
      [finished("success")]: "0+8x60",
      [finished("failure")]: "0+2x60",
      [finished("cancelled")]: "0+90x60",
    },
    firing: { 2: 0, 20: 1, 50: 1 },
  },
  "failures below a tenth": {
    alert: "JobFailing",
    series: { [finished("success")]: "0+19x60", [finished("failure")]: "0+1x60" },
    firing: { 30: 0 },
  },
  "one failed run of an hourly job": {
    alert: "JobFailing",
    series: { [finished("success")]: "5x120", [finished("failure")]: "0x59 1x60" },
    firing: { 62: 0, 72: 0 },
  },
  "failures that end": {
    alert: "JobFailing",
    series: { [finished("success")]: "0+1x90", [finished("failure")]: "0+1x20 20x70" },
    firing: { 15: 1, 40: 1, 60: 0 },
  },
  "failures from before the first scrape": {
    alert: "JobFailing",
    series: { [finished("success")]: "_x9 0x60", [finished("failure")]: "_x9 6x60" },
    firing: { 5: 0, 12: 1, 60: 0 },
  },
  "two processes with a few failures each": {
    alert: "JobFailing",
    series: {
      [finished("failure")]: "0x10 3x60",
      [finished("failure", "a", "mail", "2")]: "0x10 3x60",
      [finished("success")]: "0x60",
    },
    firing: { 5: 0, 14: 1 },
  },
  "two services that fail under one job name": {
    alert: "JobFailing",
    series: {
      [finished("failure")]: "0+1x60",
      [finished("success")]: "0x60",
      [finished("failure", "b")]: "0+1x60",
      [finished("success", "b")]: "0+1x60",
    },
    firing: { 20: 2 },
  },
  "a failing service beside a healthy one with its job name": {
    alert: "JobFailing",
    series: {
      [finished("failure")]: "0+1x60",
      [finished("success", "b")]: "0+1000x60",
    },
    firing: { 20: 1 },
  },

  "two failures without a success": {
    alert: "JobOnlyFailing",
    series: { [finished("success")]: "0x90", [finished("failure")]: "0x9 1x20 2x60" },
    firing: { 25: 0, 35: 1 },
  },
  "one failed run of an hourly job, with successes": {
    alert: "JobOnlyFailing",
    series: { [finished("success")]: "5x120", [finished("failure")]: "0x59 1x60" },
    firing: { 72: 0 },
  },
  "two failures from before the first scrape": {
    alert: "JobOnlyFailing",
    series: { [finished("success")]: "_x9 0x60", [finished("failure")]: "_x9 2x60" },
    firing: { 5: 0, 12: 1 },
  },
  "two failures beside a success": {
    alert: "JobOnlyFailing",
    series: { [finished("success")]: "0x20 1x60", [finished("failure")]: "0x20 2x60" },
    firing: { 30: 0 },
  },

  "a success that is older than the objective": {
    alert: "JobNotSucceeding",
    series: {
      [of("job_last_success_timestamp_seconds")]: "60x200",
      [of("job_objective_success_interval_seconds")]: "3600x200",
    },
    firing: { 50: 0, 63: 1, 150: 1 },
  },
  "a success within the objective": {
    alert: "JobNotSucceeding",
    series: {
      [of("job_last_success_timestamp_seconds")]: "0+60x200",
      [of("job_objective_success_interval_seconds")]: "3600x200",
    },
    firing: { 50: 0, 150: 0 },
  },
  "a success that a restart forgot, within the objective": {
    alert: "JobNotSucceeding",
    series: {
      [of("job_last_success_timestamp_seconds")]: "600x10 _x600",
      [of("job_objective_success_interval_seconds")]: "36000x10 _x3 36000x600",
    },
    firing: { 100: 0, 500: 0, 615: 1 },
  },
  "a job without an objective": {
    alert: "JobNotSucceeding",
    series: { [of("job_last_success_timestamp_seconds")]: "-200000x60" },
    firing: { 60: 0 },
  },
  "one of two services with a job name does not succeed": {
    alert: "JobNotSucceeding",
    series: {
      [of("job_last_success_timestamp_seconds")]: "0x200",
      [of("job_objective_success_interval_seconds")]: "3600x200",
      [of("job_last_success_timestamp_seconds", "b")]: "0+60x200",
      [of("job_objective_success_interval_seconds", "b")]: "3600x200",
    },
    firing: { 100: 1 },
  },
  "a schedule that came due without a success": {
    alert: "JobNotSucceeding",
    series: {
      [of("job_last_success_timestamp_seconds")]: "60x300",
      [of("job_last_scheduled_timestamp_seconds")]: "60x60 3660x240",
      [of("jobs_in_progress")]: "0x300",
    },
    firing: { 60: 0, 80: 0, 93: 1, 200: 1 },
  },
  "a schedule of every five minutes that no longer succeeds": {
    alert: "JobNotSucceeding",
    series: {
      [of("job_last_success_timestamp_seconds")]: "0+60x60 3600x120",
      [of("job_last_scheduled_timestamp_seconds")]: "0+60x180",
      [of("jobs_in_progress")]: "0x300",
    },
    firing: { 60: 0, 80: 0, 95: 1 },
  },
  "a long run of a schedule": {
    alert: "JobNotSucceeding",
    series: {
      [of("job_last_success_timestamp_seconds")]: "60x300",
      [of("job_last_scheduled_timestamp_seconds")]: "60x60 3660x240",
      [of("jobs_in_progress")]: "0x60 1x240",
    },
    firing: { 200: 0 },
  },
  "a schedule whose run succeeded, in a process that was restarted since": {
    alert: "JobNotSucceeding",
    series: {
      [of("job_last_success_timestamp_seconds")]: "60x60 3700x10 _x200",
      [of("job_last_scheduled_timestamp_seconds")]: "60x60 3660x200",
      [of("jobs_in_progress")]: "0x300",
    },
    firing: { 100: 0, 250: 0 },
  },

  "an objective and no success": {
    alert: "JobNeverSucceeded",
    series: { [of("job_objective_success_interval_seconds")]: "3600x200" },
    firing: { 50: 0, 70: 1 },
  },
  "an objective of a process that starts again and again": {
    alert: "JobNeverSucceeded",
    series: { [of("job_objective_success_interval_seconds")]: "3600x20 _x5 3600x20 _x5 3600x200" },
    firing: { 50: 0, 70: 1 },
  },
  "a schedule and no success": {
    alert: "JobNeverSucceeded",
    series: {
      [of("job_last_scheduled_timestamp_seconds")]: "_x30 1800x200",
      [of("jobs_in_progress")]: "0x300",
    },
    firing: { 40: 0, 70: 1 },
  },
  "an objective and a success": {
    alert: "JobNeverSucceeded",
    series: {
      [of("job_objective_success_interval_seconds")]: "3600x200",
      [of("job_last_success_timestamp_seconds")]: "60x200",
    },
    firing: { 150: 0 },
  },
  "an objective and a success that a restart forgot": {
    alert: "JobNeverSucceeded",
    series: {
      [of("job_objective_success_interval_seconds")]: "3600x300",
      [of("job_last_success_timestamp_seconds")]: "60x20 _x280",
    },
    firing: { 200: 0 },
  },

  "a run that hangs": {
    alert: "JobStuck",
    series: { [of("job_oldest_running_start_timestamp_seconds")]: "120x120" },
    firing: { 60: 0, 65: 1 },
  },
  "a run that is longer than its objective": {
    alert: "JobStuck",
    series: {
      [of("job_oldest_running_start_timestamp_seconds")]: "120x120",
      [of("job_objective_duration_seconds")]: "300x120",
    },
    firing: { 6: 0, 12: 1 },
  },
  "a long run that its objective allows": {
    alert: "JobStuck",
    series: {
      [of("job_oldest_running_start_timestamp_seconds")]: "120x120",
      [of("job_objective_duration_seconds")]: "36000x120",
    },
    firing: { 100: 0 },
  },

  "slow runs": {
    alert: "JobSlow",
    series: {
      'nidus_job_duration_seconds_bucket{job="a",instance="1",job_name="mail",status="success",le="1"}':
        "0x90",
      'nidus_job_duration_seconds_bucket{job="a",instance="1",job_name="mail",status="success",le="10"}':
        "0+5x90",
      'nidus_job_duration_seconds_bucket{job="a",instance="1",job_name="mail",status="success",le="+Inf"}':
        "0+5x90",
      [of("job_objective_duration_seconds")]: "2x90",
    },
    firing: { 5: 0, 30: 1 },
  },
  "one slow run, the first of its process": {
    alert: "JobSlow",
    series: {
      'nidus_job_duration_seconds_bucket{job="a",instance="1",job_name="mail",status="success",le="1"}':
        "_x20 0x90",
      'nidus_job_duration_seconds_bucket{job="a",instance="1",job_name="mail",status="success",le="10"}':
        "_x20 1x90",
      'nidus_job_duration_seconds_bucket{job="a",instance="1",job_name="mail",status="success",le="+Inf"}':
        "_x20 1x90",
      [of("job_objective_duration_seconds")]: "2x120",
    },
    firing: { 15: 0, 34: 1, 60: 0 },
  },
  "quick runs": {
    alert: "JobSlow",
    series: {
      'nidus_job_duration_seconds_bucket{job="a",instance="1",job_name="mail",status="success",le="1"}':
        "0+5x90",
      'nidus_job_duration_seconds_bucket{job="a",instance="1",job_name="mail",status="success",le="+Inf"}':
        "0+5x90",
      [of("job_objective_duration_seconds")]: "2x90",
    },
    firing: { 30: 0 },
  },

  "an old backlog that two processes report": {
    alert: "BacklogOld",
    series: {
      [of("job_oldest_waiting_timestamp_seconds")]: "60x30",
      [of("job_oldest_waiting_timestamp_seconds", "a", "mail", "2")]: "60x30",
      [of("jobs_waiting")]: "1x30",
    },
    firing: { 10: 0, 12: 0, 16: 1 },
  },
  "a backlog that is older than its objective": {
    alert: "BacklogOld",
    series: {
      [of("job_oldest_waiting_timestamp_seconds")]: "60x30",
      [of("jobs_waiting")]: "1x30",
      [of("job_objective_wait_seconds")]: "60x30",
    },
    firing: { 1: 0, 6: 1 },
  },
  "an old backlog that its objective allows, also in a service that only enqueues": {
    alert: "BacklogOld",
    series: {
      [of("job_oldest_waiting_timestamp_seconds")]: "60x60",
      [of("jobs_waiting")]: "1x60",
      [of("job_objective_wait_seconds")]: "36000x60",
      [of("job_oldest_waiting_timestamp_seconds", "api")]: "60x60",
      [of("jobs_waiting", "api")]: "1x60",
    },
    firing: { 50: 0 },
  },
  "an engine that falls silent while jobs wait": {
    alert: "BacklogOld",
    series: {
      [of("job_oldest_waiting_timestamp_seconds")]: "0x30 _x600",
      [of("jobs_waiting")]: "1x30 _x600",
    },
    firing: { 25: 1, 60: 1, 300: 1, 500: 0 },
  },
  "a backlog that is worked off": {
    alert: "BacklogOld",
    series: { [of("job_oldest_waiting_timestamp_seconds")]: "0x30 _x60", [of("jobs_waiting")]: "1x30 0x60" },
    firing: { 25: 1, 45: 0 },
  },
  "an engine that falls silent while nothing waits": {
    alert: "BacklogOld",
    series: {
      [of("job_oldest_waiting_timestamp_seconds")]: "0x5 _x200",
      [of("jobs_waiting")]: "1x5 0x25 _x200",
    },
    firing: { 60: 0, 150: 0 },
  },

  "jobs that no worker takes": {
    alert: "NoWorkers",
    series: {
      [of("jobs_waiting")]: "3x60",
      [of("jobs_started_total")]: "5x60",
      [of("jobs_in_progress")]: "0x60",
    },
    firing: { 5: 0, 30: 1 },
  },
  "jobs of a name that no process runs": {
    alert: "NoWorkers",
    series: { [of("jobs_waiting")]: "3x60" },
    firing: { 5: 0, 30: 1 },
  },
  "jobs that workers take": {
    alert: "NoWorkers",
    series: {
      [of("jobs_waiting")]: "3x60",
      [of("jobs_started_total")]: "0+1x60",
      [of("jobs_in_progress")]: "0x60",
    },
    firing: { 30: 0 },
  },
  "jobs that wait behind long runs": {
    alert: "NoWorkers",
    series: {
      [of("jobs_waiting")]: "3x60",
      [of("jobs_started_total")]: "5x60",
      [of("jobs_in_progress")]: "1x60",
    },
    firing: { 30: 0 },
  },
  "jobs that another service takes": {
    alert: "NoWorkers",
    series: {
      [of("jobs_waiting", "api")]: "3x60",
      [of("jobs_waiting", "worker")]: "3x60",
      [of("jobs_started_total", "worker")]: "0+1x60",
    },
    firing: { 30: 0 },
  },
  "jobs that no worker of the service takes, beside another service with the job name": {
    alert: "NoWorkers",
    series: {
      [of("jobs_waiting")]: "3x60",
      [of("jobs_started_total")]: "5x60",
      [of("jobs_waiting", "b")]: "3x60",
      [of("jobs_started_total", "b")]: "0+1x60",
    },
    firing: { 30: 1 },
  },

  "a worker that asks no more": {
    alert: "WorkerStuck",
    series: {
      [ofEngine("worker_last_fetch_timestamp_seconds")]: "0+60x10 600x20",
      [ofEngine("engine_up")]: "1x60",
    },
    firing: { 10: 0, 14: 1 },
  },
  "a worker whose engine is away": {
    alert: "WorkerStuck",
    series: {
      [ofEngine("worker_last_fetch_timestamp_seconds")]: "0+60x10 600x20",
      [ofEngine("engine_up")]: "1x10 0x20",
    },
    firing: { 14: 0, 20: 0 },
  },

  "an engine that does not answer": {
    alert: "EngineDown",
    series: { [ofEngine("engine_up")]: "1x10 0x20 1x20", [up]: "1x60" },
    firing: { 10: 0, 14: 1, 40: 0 },
  },
  "an engine whose metrics are gone while its process is up": {
    alert: "EngineDown",
    series: { [ofEngine("engine_up")]: "1x10 _x60", [up]: "1x80" },
    firing: { 10: 0, 20: 1 },
  },
  "an engine whose process is gone": {
    alert: "EngineDown",
    series: { [ofEngine("engine_up")]: "1x10 _x60", [up]: "1x10 0x60" },
    firing: { 20: 0 },
  },

  "a dead letter": {
    alert: "JobsDeadLettered",
    series: { [of("jobs_dead_lettered_total")]: "0x99 1x200" },
    firing: { 90: 0, 105: 1, 170: 0 },
  },
  "a dead letter from before the first scrape of its process": {
    alert: "JobsDeadLettered",
    series: { [of("jobs_dead_lettered_total")]: "_x9 1x200" },
    firing: { 5: 0, 15: 1, 100: 0 },
  },
  "a restart of a process with dead letters": {
    alert: "JobsDeadLettered",
    series: { [of("jobs_dead_lettered_total")]: "7x99 0x100" },
    firing: { 90: 0, 105: 0 },
  },

  "an old dead letter": {
    alert: "DeadLettersOld",
    series: { [of("dead_letter_oldest_timestamp_seconds")]: "-84000x90" },
    firing: { 30: 0, 70: 1 },
  },
  "a new dead letter": {
    alert: "DeadLettersOld",
    series: { [of("dead_letter_oldest_timestamp_seconds")]: "-84000+60x90" },
    firing: { 90: 0 },
  },

  "a stalled attempt": {
    alert: "JobsStalling",
    series: { [of("job_stalled_total")]: "0x20 1x200" },
    firing: { 15: 0, 25: 1, 80: 0 },
  },

  "names beyond maxSeries": {
    alert: "JobNamesOverflow",
    series: { [of("jobs_started_total", "a", "<overflow>")]: "0+1x60" },
    firing: { 10: 1 },
  },
  "names within maxSeries": {
    alert: "JobNamesOverflow",
    series: { [of("jobs_started_total")]: "0+1x60" },
    firing: { 10: 0 },
  },

  "a fifth of many runs fails": {
    alert: "ErrorBudgetBurn",
    series: { [finished("success")]: "0+4x120", [finished("failure")]: "0+1x120" },
    firing: { 60: 1 },
  },
  "a fifth of few runs fails": {
    alert: "ErrorBudgetBurn",
    series: { [finished("success")]: "0x20 4x100", [finished("failure")]: "0x20 1x100" },
    firing: { 30: 0 },
  },
  "a fifth of many runs failed and no run fails any more": {
    alert: "ErrorBudgetBurn",
    series: { [finished("success")]: "0+4x120", [finished("failure")]: "0+1x40 40x80" },
    firing: { 38: 1, 50: 0 },
  },
};
