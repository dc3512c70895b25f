export { type DashboardClient, type JobDashboard, jobDashboard } from "./dashboard.ts";
export type {
  WatchedCounts,
  WatchedEngine,
  WatchedJob,
  WatchedQuery,
  WatchedSchedule,
} from "./engines/watched-engine.ts";
export type { DashboardHandler } from "./http/node-handler.ts";
export type { DashboardAccess, JobDashboardOptions, RedactableJob, RedactedJob } from "./options.ts";
