import type { StoredJobsView } from "../../wire-stored.ts";
import { count } from "../format.ts";
import { actionsOf, type Confirmation, confirmAction } from "../parts/action.tsx";

interface BulkProps {
  readonly view: StoredJobsView;
  readonly job: string;
  readonly state: string;
  readonly canChangeAll: boolean;
}

/** The button that changes all listed jobs, or all of their name. */
export function Bulk({ view: { engine, jobs, counts }, job, state, canChangeAll }: BulkProps) {
  const ids = jobs.map(({ id }) => id);
  if (state === "dead-lettered") {
    const total = canChangeAll ? (counts?.[state] ?? ids.length) : ids.length;
    return (
      <BulkButton
        label={`Redrive ${canChangeAll ? "all" : "these"} ${count(total)}`}
        confirmation={{
          title: `Redrive ${count(total)} dead letters?`,
          text: `${job === "" ? "They run" : `${job} runs`} again with fresh attempts.`,
          verb: "Redrive all",
          past: "redriven",
          actions: canChangeAll
            ? [{ type: "redrive-all", engine, jobName: job || null, error: null }]
            : actionsOf("redrive", engine, ids),
          total,
        }}
      />
    );
  }
  if (state !== "waiting" && state !== "scheduled") return null;
  const isAll = canChangeAll && job !== "";
  const all = (counts?.waiting ?? 0) + (counts?.scheduled ?? 0) + (counts?.running ?? 0);
  const total = isAll ? all : ids.length;
  return (
    <BulkButton
      label={isAll ? `Cancel all of ${job}` : `Cancel these ${count(total)}`}
      confirmation={{
        title: `Cancel ${count(total)} jobs?`,
        text: isAll
          ? `Waiting and scheduled jobs of ${job} will not run, and running ones are asked to end.`
          : "The listed jobs will not run.",
        verb: "Cancel all",
        past: "cancelled",
        isDestructive: true,
        actions: isAll ? [{ type: "cancel-all", engine, jobName: job }] : actionsOf("cancel", engine, ids),
        total,
      }}
    />
  );
}

function BulkButton({ label, confirmation }: { label: string; confirmation: Confirmation }) {
  return (
    <p class="buttons">
      <button type="button" onClick={() => confirmAction(confirmation)}>
        {label}
      </button>
    </p>
  );
}
