import type { ScheduleRule } from "../schedule/schedule-rule.ts";

/** A schedule as a store has it. */
export interface StoredSchedule {
  readonly jobName: string;
  readonly rule: ScheduleRule;
  /** When the rule was made. */
  readonly madeAt: Date;
  /** When its next run can start, also if that was rescheduled. In the past if the run is late. Undefined if none is stored. */
  readonly nextRunAt: Date | undefined;
}
