import type { RunningRun, RunningView } from "../../wire.ts";
import type { ViewProps } from "../app.tsx";
import { count, duration, percent, plural } from "../format.ts";
import { useNow } from "../live.ts";
import { actionsOf, confirmAction } from "../parts/action.tsx";
import { Attributes, Empty, Problems } from "../parts/bits.tsx";
import { Elapsed } from "../parts/charts.tsx";
import { Filter, matches } from "../parts/filter.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { href } from "../route.ts";
import { WhatToWire } from "./overview.tsx";
import { useView } from "./use-view.ts";

export function Running({ session, route, onConnection }: ViewProps) {
  const view = useView<RunningView>("running", onConnection);
  const filter = route.params.get("q") ?? "";
  if (view === undefined) return <p class="none">Loading…</p>;
  const rows = view.runs.filter(({ jobName, delivery }) => matches(filter, jobName, delivery?.jobId ?? null));
  const all = view.runs.length + view.beyondLimit;
  return (
    <>
      <h1>Running now</h1>
      {session.process !== null && (
        <p class="lead">
          {plural(all, "run")} in this process
          {view.beyondLimit > 0 && `, of which the ${view.runs.length} oldest are listed`}.
          {view.stored.length > 0 &&
            ` In all processes: ${view.stored.map(({ name, running }) => `${count(running)} of engine ${name}`).join(", ")}.`}
        </p>
      )}
      <Problems engines={view.stored} />
      {view.runs.length > 0 && (
        <div class="bar">
          <Filter value={filter} label="Filter by job or id" />
        </div>
      )}
      {view.runs.length === 0 &&
        (session.process === null ? (
          <WhatToWire session={session} />
        ) : (
          <Empty title="Nothing is running">
            <p>Runs of this process appear here while they run.</p>
          </Empty>
        ))}
      {rows.length > 0 && (
        <Table
          caption="Running jobs, the oldest first"
          columns={columnsFor(rows, session.access === "operate")}
          rows={rows}
          keyOf={({ runId }) => runId}
          scope={`running ${filter}`}
          noun="run"
        />
      )}
    </>
  );
}

function columnsFor(rows: readonly RunningRun[], canOperate: boolean): readonly Column<RunningRun>[] {
  const has = (test: (run: RunningRun) => boolean) => rows.some(test);
  return [
    { label: "Job", kind: "name", cell: Name },
    { label: "Running for", kind: "wide", cell: (run) => <Since run={run} /> },
    ...(has(({ progress }) => progress !== null) ? [{ label: "Progress", cell: Progress }] : []),
    {
      label: "Attempt",
      isNumber: true,
      cell: ({ delivery }) => (delivery === null ? "–" : `${delivery.attempt} of ${delivery.maxAttempts}`),
    },
    ...(has(({ attributes }) => Object.keys(attributes).length > 0)
      ? [
          {
            label: "Attributes",
            kind: "wide",
            cell: ({ attributes }: RunningRun) => <Attributes of={attributes} />,
          },
        ]
      : []),
    {
      label: "Actions",
      kind: "links",
      cell: (run) => (
        <>
          {run.traceUrl !== null && (
            <a href={run.traceUrl} rel="noreferrer">
              Trace
            </a>
          )}
          {canOperate && run.delivery?.engineKey != null && (
            <button
              type="button"
              class="small"
              aria-label={`Cancel ${run.jobName}`}
              onClick={() => cancel(run)}
            >
              Cancel
            </button>
          )}
        </>
      ),
    },
  ];
}

function Name({ runId, jobName, delivery }: RunningRun) {
  return (
    <>
      <a href={href("run", { job: jobName, id: runId })}>{jobName}</a>
      <small>{delivery === null ? "in this process alone" : `engine ${delivery.engine}`}</small>
    </>
  );
}

function Since({ run }: { run: RunningRun }) {
  const elapsedMs = Math.max(0, useNow() - run.startedAt);
  const [label, limitMs] =
    run.p95Ms === null ? (["objective", run.finishWithinMs] as const) : (["p95", run.p95Ms] as const);
  return (
    <>
      <Elapsed elapsedMs={elapsedMs} limitMs={limitMs} label={label} />
      {run.timeoutMs !== null && <small class="none">cut off after {duration(run.timeoutMs)}</small>}
    </>
  );
}

export function Progress({ progress }: Pick<RunningRun, "progress">) {
  if (progress === null) return <span class="none">–</span>;
  return (
    <span class="elapsed">
      <progress value={progress.fraction} aria-label="Progress" />
      <span>{percent(progress.fraction)}</span>
      {progress.note !== null && <small>{progress.note}</small>}
    </span>
  );
}

function cancel({ jobName, delivery }: RunningRun): void {
  if (delivery?.engineKey == null) return;
  confirmAction({
    title: `Cancel this run of ${jobName}?`,
    text: `Its handler gets an aborted signal, and job ${delivery.jobId} is not tried again. Attempt ${count(delivery.attempt)} is lost.`,
    verb: "Cancel the job",
    past: "cancelled",
    isDestructive: true,
    actions: actionsOf("cancel", delivery.engineKey, [delivery.jobId]),
    total: 1,
  });
}
