import { useState } from "preact/hooks";
import type { PayloadView, StoredJobView } from "../../wire-stored.ts";
import type { ViewProps } from "../app.tsx";
import { duration, moment } from "../format.ts";
import { Ago, Attributes, CopyId, Empty, Preformatted, RunPill, StoredPill } from "../parts/bits.tsx";
import { href } from "../route.ts";
import { JobActions, Reschedule } from "./job-actions.tsx";
import { ErrorDetails } from "./run.tsx";
import { Progress } from "./running.tsx";
import { address, useView } from "./use-view.ts";

export function Stored({ session, route, onConnection }: ViewProps) {
  const [engine, id] = [route.params.get("engine") ?? "", route.params.get("id") ?? ""];
  const view = useView<StoredJobView>(address("stored", { engine, id }), onConnection);
  if (view === undefined) return <p class="none">Loading…</p>;
  const { job, runs } = view;
  if (view.error !== null)
    return (
      <p class="banner" role="alert">
        The engine {engine} does not answer: {view.error}
      </p>
    );
  if (job === null && runs.length === 0) {
    return (
      <Empty title="There is no such job">
        <p>
          The engine {engine} holds no job with the id <code>{id}</code>. Jobs that have ended are removed
          after a while. <a href={href("jobs", { engine })}>All jobs</a>
        </p>
      </Empty>
    );
  }
  const canOperate = session.access === "operate";
  return (
    <>
      <p class="crumbs">
        <a href={href("jobs", { engine, job: job?.jobName })}>Jobs of {engine}</a>
      </p>
      <header class="title">
        <h1>{job?.jobName ?? runs[0]?.jobName}</h1>
        {job !== null && <StoredPill state={job.state} />}
        {job !== null && canOperate && <JobActions job={job} engine={engine} />}
        {job !== null &&
          canOperate &&
          view.engine?.canReschedule &&
          ["scheduled", "waiting"].includes(job.state) && (
            <Reschedule engine={engine} id={id} isDue={job.state === "waiting"} />
          )}
      </header>
      <dl class="facts-list">
        <div>
          <dt>Job id</dt>
          <dd>
            <CopyId id={id} label="job id" />
          </dd>
        </div>
        {job !== null && <Facts job={job} />}
      </dl>
      {job === null && (
        <p class="lead">
          The store no longer has it, or does not look up jobs by id. These are its attempts in this process.
        </p>
      )}
      {job !== null && job.errors.length > 0 && (
        <section>
          <h2>
            Errors of its attempts <small>as the store keeps them, the newest first</small>
          </h2>
          <ol class="errors">
            {job.errors.map(({ attempt, message, at }, index) => (
              <li key={index}>
                <span class="facts">
                  <b>Attempt {attempt}</b> {at !== null && moment(at)}
                </span>
                <Preformatted>{message}</Preformatted>
              </li>
            ))}
          </ol>
        </section>
      )}
      {runs.length > 0 && <Attempts runs={runs} />}
      {job !== null && <Payload engine={engine} id={id} isShown={session.showsPayloads} />}
    </>
  );
}

function Facts({ job }: { job: NonNullable<StoredJobView["job"]> }) {
  const {
    attempt,
    maxAttempts,
    priority,
    enqueuedAt,
    runAt,
    startedAt,
    finishedAt,
    correlationId,
    attributes,
    progress,
  } = job;
  const times = [
    ["Enqueued", enqueuedAt],
    ["Due", runAt],
    ["Started", startedAt],
    ["Ended", finishedAt],
  ] as const;
  return (
    <>
      <div>
        <dt>Attempt</dt>
        <dd>
          {attempt}
          {maxAttempts !== null && ` of ${maxAttempts}`}
        </dd>
      </div>
      {times.map(
        ([label, at]) =>
          at !== null && (
            <div key={label}>
              <dt>{label}</dt>
              <dd>
                {moment(at)} <Ago at={at} />
              </dd>
            </div>
          ),
      )}
      {startedAt !== null && runAt !== null && startedAt > runAt && (
        <div>
          <dt>Waited</dt>
          <dd>{duration(startedAt - runAt)}</dd>
        </div>
      )}
      {priority !== null && priority > 0 && (
        <div>
          <dt>Priority</dt>
          <dd>{priority}</dd>
        </div>
      )}
      {correlationId !== null && (
        <div>
          <dt>Correlation id</dt>
          <dd>
            <CopyId id={correlationId} label="correlation id" />
          </dd>
        </div>
      )}
      {progress !== null && (
        <div>
          <dt>Progress</dt>
          <dd>
            <Progress progress={progress} />
          </dd>
        </div>
      )}
      <div>
        <dt>Attributes</dt>
        <dd>
          <Attributes of={attributes} />
        </dd>
      </div>
    </>
  );
}

function Attempts({ runs }: { runs: StoredJobView["runs"] }) {
  return (
    <section>
      <h2>
        Attempts <small>in this process</small>
      </h2>
      <ol class="attempts">
        {runs.map((run) => (
          <li key={run.runId}>
            <p>
              <b>Attempt {run.delivery?.attempt}</b> <RunPill status={run.status} /> {moment(run.startedAt)}
              {run.durationMs !== null && `, ran for ${duration(run.durationMs)}`}{" "}
              <a href={href("run", { job: run.jobName, id: run.runId })}>Run</a>
            </p>
            {run.error !== null && <ErrorDetails error={{ ...run.error, stack: "" }} />}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Payload({ engine, id, isShown }: { engine: string; id: string; isShown: boolean }) {
  const [payload, setPayload] = useState<PayloadView | string>();
  const load = async () => {
    try {
      const answer = await fetch(`api/${address("payload", { engine, id })}`);
      setPayload(
        answer.ok ? ((await answer.json()) as PayloadView) : `The service answered ${answer.status}.`,
      );
    } catch {
      setPayload("The service does not answer.");
    }
  };
  return (
    <section>
      <h2>Payload</h2>
      {!isShown && (
        <p class="none">
          Hidden. Return what viewers may see from <code>redact(job)</code>.
        </p>
      )}
      {isShown && payload === undefined && (
        <button type="button" onClick={() => void load()}>
          Show the payload
        </button>
      )}
      {typeof payload === "string" && <p role="alert">{payload}</p>}
      {typeof payload === "object" &&
        (payload.text === null ? (
          <p class="none">
            Hidden: <code>redact(job)</code> returned none, or the job has no payload.
          </p>
        ) : (
          <>
            <Preformatted>{payload.text}</Preformatted>
            {payload.isCut && <p class="none">Cut at 64 kB.</p>}
          </>
        ))}
    </section>
  );
}
