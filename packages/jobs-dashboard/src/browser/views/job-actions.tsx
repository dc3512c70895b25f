import type { StoredJobRow } from "../../wire-stored.ts";
import { duration } from "../format.ts";
import { serverNow } from "../live.ts";
import { actionsOf, confirmAction } from "../parts/action.tsx";

/** The buttons of one stored job. */
export function JobActions({ job, engine }: { job: StoredJobRow; engine: string }) {
  const { id, jobName, state } = job;
  if (state === "dead-lettered") {
    return (
      <button
        type="button"
        class="small"
        aria-label={`Redrive ${jobName} ${id}`}
        onClick={() =>
          confirmAction({
            title: `Redrive this dead letter of ${jobName}?`,
            text: `Job ${id} runs again with fresh attempts.`,
            verb: "Redrive",
            past: "redriven",
            actions: actionsOf("redrive", engine, [id]),
            total: 1,
          })
        }
      >
        Redrive
      </button>
    );
  }
  if (!["scheduled", "waiting", "running"].includes(state)) return <span class="none">–</span>;
  return (
    <button
      type="button"
      class="small"
      aria-label={`Cancel ${jobName} ${id}`}
      onClick={() =>
        confirmAction({
          title: `Cancel this job of ${jobName}?`,
          text:
            state === "running"
              ? "Its handler gets an aborted signal, and the job is not tried again."
              : `Job ${id} will not run.`,
          verb: "Cancel the job",
          past: "cancelled",
          isDestructive: true,
          actions: actionsOf("cancel", engine, [id]),
          total: 1,
        })
      }
    >
      Cancel
    </button>
  );
}

/** The buttons that move the start of a stored job. */
export function Reschedule({ engine, id, isDue }: { engine: string; id: string; isDue: boolean }) {
  const move = (label: string, title: string, delayMs: number) => (
    <button
      type="button"
      class="small"
      onClick={() =>
        confirmAction({
          title,
          text: `Job ${id} becomes due ${delayMs === 0 ? "now" : `in ${duration(delayMs)}`}.`,
          verb: label,
          past: "moved",
          actions: [{ type: "reschedule", engine, id, runAt: Math.round(serverNow() + delayMs) }],
          total: 1,
        })
      }
    >
      {label}
    </button>
  );
  return (
    <>
      {!isDue && move("Run now", "Run this job now?", 0)}
      {move("Delay by an hour", "Delay this job by an hour?", 3_600_000)}
    </>
  );
}
