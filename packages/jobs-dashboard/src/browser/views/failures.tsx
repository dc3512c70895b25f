import { useRef } from "preact/hooks";
import type { FailureGroup, FailureSample, FailuresView } from "../../wire.ts";
import type { ViewProps } from "../app.tsx";
import { count, moment, plural } from "../format.ts";
import { actionsOf, confirmAction } from "../parts/action.tsx";
import { Ago, Empty, Problems } from "../parts/bits.tsx";
import { Choice, Filter, matches } from "../parts/filter.tsx";
import { Newer } from "../parts/table.tsx";
import { href } from "../route.ts";
import { useSteady } from "../steady.ts";
import { WhatToWire } from "./overview.tsx";
import { useView } from "./use-view.ts";

export function Failures({ session, route, onConnection }: ViewProps) {
  const view = useView<FailuresView>("failures", onConnection);
  const [filter, source, job] = ["q", "source", "job"].map((key) => route.params.get(key) ?? "") as [
    string,
    string,
    string,
  ];
  const list = useRef<HTMLOListElement>(null);
  const groups = (view?.groups ?? []).filter(
    (group) =>
      (source === "" || (source === "process" ? group.engine === null : group.engine === source)) &&
      (job === "" || group.jobName === job) &&
      matches(filter, group.jobName, group.message, group.className, group.samples[0]?.message ?? null),
  );
  const steady = useSteady(groups, ({ key }) => key, list, route.params.toString());
  if (view === undefined) return <p class="none">Loading…</p>;
  const sources = [
    ...(session.process === null ? [] : [{ value: "process", label: "This process" }]),
    ...session.engines.map(({ key }) => ({ value: key, label: `Dead letters of ${key}` })),
  ];
  return (
    <>
      <h1>Failures by error</h1>
      <p class="lead">{windowText(view, session.process !== null)}</p>
      <Problems engines={view.engines.map((engine) => ({ ...engine, name: engine.key }))} />
      <div class="bar">
        {sources.length > 1 && (
          <Choice
            label="Source"
            param="source"
            value={source}
            options={[{ value: "", label: "All" }, ...sources]}
          />
        )}
        <Filter value={filter} label="Filter by job or error" />
      </div>
      {groups.length === 0 && view.groups.length > 0 && <Empty title="No failure matches" />}
      {view.groups.length === 0 &&
        (sources.length === 0 ? (
          <WhatToWire session={session} />
        ) : (
          <Empty title="No failures">
            <p>No run of this process has failed, and no engine holds a dead letter.</p>
          </Empty>
        ))}
      <Newer added={steady.added} isStale={steady.isStale} noun="error" onShow={steady.show} />
      <ol class="groups" ref={list}>
        {steady.rows.map(({ row, isGone }) => (
          <Group key={row.key} group={row} isGone={isGone} canOperate={session.access === "operate"} />
        ))}
      </ol>
    </>
  );
}

function windowText({ kept, dropped, engines }: FailuresView, isFed: boolean): string {
  const parts = isFed ? [`the latest ${count(kept)} failed runs of this process`] : [];
  for (const { key, limit } of engines) parts.push(`up to ${count(limit)} dead letters of engine ${key}`);
  const lost = dropped > 0 ? ` ${plural(dropped, "failure")} came too fast to keep their details.` : "";
  return parts.length === 0 ? "" : `Shows ${parts.join(" and ")}.${lost}`;
}

function Group({ group, isGone, canOperate }: { group: FailureGroup; isGone: boolean; canOperate: boolean }) {
  const {
    engine,
    jobName,
    className,
    frame,
    message,
    count: total,
    firstAt,
    lastAt,
    samples,
    jobIds,
  } = group;
  return (
    <li class={isGone ? "gone" : ""}>
      <details>
        <summary data-row>
          <span class="count">{count(total)}</span>
          <span class="what">
            <span class="message">{message}</span>
            <span class="facts">
              <b>{jobName}</b>
              {className !== null && <span>{className}</span>}
              {frame !== null && <code>{frame}</code>}
              <span class="source">
                {engine === null ? "failed runs, this process" : `dead letters, engine ${engine}`}
              </span>
            </span>
          </span>
          <span class="when">
            <Ago at={lastAt} />
            {total > 1 && (
              <small>
                first <Ago at={firstAt} />
              </small>
            )}
          </span>
        </summary>
        <div class="samples">
          <ol aria-label="The latest of these failures">
            {samples.map((sample) => (
              <Sample key={`${sample.runId}${sample.jobId}`} sample={sample} group={group} />
            ))}
          </ol>
          <p class="buttons">
            <a href={href("job", { name: jobName })}>All about {jobName}</a>
            {canOperate && engine !== null && (
              <button type="button" class="primary" onClick={() => redrive(group, engine)}>
                Redrive {total === 1 ? "it" : `all ${count(jobIds.length)}`}
              </button>
            )}
          </p>
        </div>
      </details>
    </li>
  );
}

function Sample({ sample, group }: { sample: FailureSample; group: FailureGroup }) {
  const { runId, jobId, at, message, traceUrl } = sample;
  const link =
    runId !== null
      ? href("run", { job: group.jobName, id: runId })
      : href("stored", { engine: group.engine, id: jobId });
  return (
    <li>
      <span class="none">{moment(at)}</span>
      <span class="message">{message}</span>
      <span>
        <a href={link}>{runId !== null ? "Run" : "Job"}</a>{" "}
        {traceUrl !== null && (
          <a href={traceUrl} rel="noreferrer">
            Trace
          </a>
        )}
      </span>
    </li>
  );
}

function redrive({ jobIds, jobName, message }: FailureGroup, engine: string): void {
  confirmAction({
    title: `Redrive ${plural(jobIds.length, "dead letter")}?`,
    text: `${jobName} runs again with fresh attempts, for each job that failed with “${message}”.`,
    verb: "Redrive",
    past: "redriven",
    actions: actionsOf("redrive", engine, jobIds),
    total: jobIds.length,
  });
}
