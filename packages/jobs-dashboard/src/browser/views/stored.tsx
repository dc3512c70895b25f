import { useState } from "preact/hooks";
import type { PayloadView, StoredJobView } from "../../wire-stored.ts";
import type { ViewProps } from "../app.tsx";
import { duration, moment } from "../format.ts";
import {
  Ago,
  Attributes,
  Empty,
  Fact,
  IdFact,
  Preformatted,
  Problems,
  RunPill,
  StoredPill,
} from "../parts/bits.tsx";
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
      <>
        <h1>Job {id}</h1>
        <Problems engines={[{ name: engine, error: view.error, readAt: null, isRead: false }]} />
      </>
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
        <IdFact label="Job id" id={id} />
        {job !== null && <Facts job={job} />}
      </dl>
      {job === null && (
        <p class="lead">
          The store no longer has it, or does not look up jobs by id. These are its attempts in this process.
        </p>
      )}
      <Attempts view={view} />
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
      <Fact label="Attempt">
        {attempt}
        {maxAttempts !== null && ` of ${maxAttempts}`}
      </Fact>
      {times.map(
        ([label, at]) =>
          at !== null && (
            <Fact key={label} label={label}>
              {moment(at)}{" "}
              <small class="none">
                <Ago at={at} />
              </small>
            </Fact>
          ),
      )}
      {startedAt !== null && runAt !== null && startedAt > runAt && (
        <Fact label="Waited">{duration(startedAt - runAt)}</Fact>
      )}
      {priority !== null && priority > 0 && <Fact label="Priority">{priority}</Fact>}
      <IdFact label="Correlation id" id={correlationId} />
      {progress !== null && (
        <Fact label="Progress">
          <Progress progress={progress} />
        </Fact>
      )}
      <Fact label="Attributes">
        <Attributes of={attributes} />
      </Fact>
    </>
  );
}

/** Lists attempts, the latest first. The store has a message alone of those that ran in other processes. */
function Attempts({ view: { job, runs } }: { view: StoredJobView }) {
  const isKnown = ({ attempt, message }: { attempt: number; message: string }) =>
    runs.some(({ delivery, error }) => delivery?.attempt === attempt && error?.message.startsWith(message));
  const others = (job?.errors ?? []).filter((error) => !isKnown(error));
  const attempts = [
    ...runs.map((run) => ({ at: run.startedAt, item: <OwnAttempt key={run.runId} run={run} /> })),
    ...others.map(({ attempt, message, at }, index) => ({
      at: at ?? 0,
      item: (
        <li key={index}>
          <p>
            <b>Attempt {attempt}</b> <RunPill status="failure" /> {at !== null && moment(at)}
          </p>
          <Preformatted>{message}</Preformatted>
        </li>
      ),
    })),
  ];
  if (attempts.length === 0) return null;
  return (
    <section>
      <h2>
        Attempts <small>the latest first</small>
      </h2>
      <ol class="attempts">{attempts.sort((a, b) => b.at - a.at).map(({ item }) => item)}</ol>
    </section>
  );
}

function OwnAttempt({ run }: { run: StoredJobView["runs"][number] }) {
  const { runId, jobName, status, startedAt, durationMs, delivery, error } = run;
  return (
    <li>
      <p>
        <b>Attempt {delivery?.attempt}</b> <RunPill status={status} /> {moment(startedAt)}
        {durationMs !== null && `, ran for ${duration(durationMs)}`}{" "}
        <a href={href("run", { job: jobName, id: runId })}>Run</a>
      </p>
      {error !== null && <ErrorDetails error={{ ...error, stack: "" }} />}
    </li>
  );
}

function Payload({ engine, id, isShown }: { engine: string; id: string; isShown: boolean }) {
  const [payload, setPayload] = useState<PayloadView>();
  const load = async () => setPayload(await payloadOf(engine, id));
  const isToLoad = payload === undefined || payload.error !== null;
  return (
    <section>
      <h2>Payload</h2>
      {!isShown && (
        <p class="none">
          Hidden. Return what viewers may see from <code>redact(job)</code>.
        </p>
      )}
      {isShown && isToLoad && (
        <button type="button" onClick={() => void load()}>
          Show the payload
        </button>
      )}
      {payload !== undefined && payload.error !== null && <p role="alert">{payload.error}</p>}
      {payload !== undefined &&
        payload.error === null &&
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

/** Never rejects. */
async function payloadOf(engine: string, id: string): Promise<PayloadView> {
  const failed = (error: string): PayloadView => ({ text: null, isCut: false, error });
  try {
    const answer = await fetch(`api/${address("payload", { engine, id })}`);
    return answer.ok ? await answer.json() : failed(`The service answered ${answer.status}.`);
  } catch {
    return failed("The service does not answer.");
  }
}
