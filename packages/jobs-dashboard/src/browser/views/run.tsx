import type { ErrorText, RunFacts, RunView } from "../../wire.ts";
import type { ViewProps } from "../app.tsx";
import { duration, moment } from "../format.ts";
import { useNow } from "../live.ts";
import { Attributes, Empty, Fact, IdFact, LongText, Preformatted, RunPill } from "../parts/bits.tsx";
import { href } from "../route.ts";
import { address, useView } from "./use-view.ts";

export function Run({ route, onConnection }: ViewProps) {
  const [job, id] = [route.params.get("job") ?? "", route.params.get("id") ?? ""];
  const view = useView<RunView>(address("run", { job, id }), onConnection);
  if (view === undefined) return <p class="none">Loading…</p>;
  const { run, error, errorIsGone } = view;
  if (run === null) {
    return (
      <Empty title="This run is no longer kept">
        <p>
          The page keeps the latest 200 runs of a job.{" "}
          <a href={href("job", { name: job })}>The runs of {job}</a>
        </p>
      </Empty>
    );
  }
  return (
    <>
      <p class="crumbs">
        <a href={href("job", { name: run.jobName })}>{run.jobName}</a>
      </p>
      <header class="title">
        <h1>Run of {run.jobName}</h1>
        <RunPill status={run.status} />
      </header>
      <Timeline run={run} />
      <dl class="facts-list">
        <IdFact label="Run id" id={run.runId} />
        {run.delivery !== null && (
          <>
            <IdFact label="Job id" id={run.delivery.jobId} />
            <Fact label="Attempt">
              {run.delivery.attempt} of {run.delivery.maxAttempts}
            </Fact>
            <Fact label="Engine and queue">
              {run.delivery.engine} · {run.delivery.queue}
            </Fact>
            <IdFact label="Correlation id" id={run.delivery.correlationId} />
          </>
        )}
        <IdFact label="Trace id" id={run.traceId}>
          {run.traceUrl !== null && (
            <a href={run.traceUrl} rel="noreferrer">
              Open the trace
            </a>
          )}
        </IdFact>
        <Fact label="Attributes">
          <Attributes of={run.attributes} />
        </Fact>
      </dl>
      {error !== null && <ErrorDetails error={error} />}
      {errorIsGone && <p class="none">The details of its error are no longer kept.</p>}
      {run.delivery?.engineKey != null && (
        <p class="buttons">
          <a href={href("stored", { engine: run.delivery.engineKey, id: run.delivery.jobId })}>
            The stored job and its other attempts
          </a>
        </p>
      )}
    </>
  );
}

/** Shows when a run was enqueued, waited, started and finished. */
function Timeline({ run }: { run: RunFacts }) {
  const now = useNow();
  const { delivery, startedAt, durationMs, status } = run;
  const dueAt = delivery?.runAt ?? delivery?.enqueuedAt ?? startedAt;
  const waitedMs = Math.max(0, startedAt - dueAt);
  const ranMs = durationMs ?? Math.max(0, now - startedAt);
  const total = Math.max(waitedMs + ranMs, 1);
  return (
    <section class="timeline" aria-label="Timeline">
      <div class="track" aria-hidden="true">
        {waitedMs > 0 && <span class="waited" style={{ width: `${(waitedMs / total) * 100}%` }} />}
        <span class={`ran ${status}`} style={{ width: `${(ranMs / total) * 100}%` }} />
      </div>
      <ol>
        {delivery?.enqueuedAt != null && (
          <li>
            <b>Enqueued</b> {moment(delivery.enqueuedAt)}
          </li>
        )}
        {delivery !== null && (
          <li>
            <b>Waited</b> {duration(waitedMs)}
          </li>
        )}
        <li>
          <b>Started</b> {moment(startedAt)}
        </li>
        <li>
          <b>{durationMs === null ? "Running for" : "Ran for"}</b> {duration(ranMs)}
        </li>
      </ol>
    </section>
  );
}

/** Shows an error, its stack and the chain of its causes, as text. */
export function ErrorDetails({ error }: { error: ErrorText }) {
  return (
    <section class="error-details" aria-label="Error">
      <h2>
        {error.className}
        {error.code !== null && <code>{error.code}</code>}
      </h2>
      <Preformatted>{error.message}</Preformatted>
      {error.causes.map(({ className, message }, index) => (
        <div key={index} class="cause">
          <h3>Caused by {className}</h3>
          <Preformatted>{message}</Preformatted>
        </div>
      ))}
      {error.stack !== "" && (
        <>
          <h3>Stack</h3>
          <LongText text={error.stack} lines={6} />
        </>
      )}
    </section>
  );
}
