import type { JobView, OverviewJob, StripRun } from "../../wire.ts";
import type { ViewProps } from "../app.tsx";
import { count, duration, percent, plural } from "../format.ts";
import { Ago, Empty, Fact, StatePill } from "../parts/bits.tsx";
import { Histogram, Spans, Sparkline, Strip } from "../parts/charts.tsx";
import { href } from "../route.ts";
import { ScheduleTable } from "./schedules.tsx";
import { address, useView } from "./use-view.ts";

export function Job({ route, onConnection }: ViewProps) {
  const name = route.params.get("name") ?? "";
  const view = useView<JobView>(address("job", { name }), onConnection);
  if (view === undefined) return <p class="none">Loading…</p>;
  if (view.job === null) {
    return (
      <Empty title={`There is no job “${name}”`}>
        <p>
          This process has not run it, and no watched engine holds one. <a href="#/overview">All jobs</a>
        </p>
      </Empty>
    );
  }
  const { job, runs, limits, schedules, engines } = view;
  return (
    <>
      <p class="crumbs">
        <a href="#/overview">Overview</a>
      </p>
      <header class="title">
        <h1>{job.name}</h1>
        <StatePill state={job.state} />
        {job.reason !== "" && <span class="reason">{job.reason}</span>}
      </header>
      <Figures job={job} />
      {job.process?.lastError && (
        <p class="last-error">
          <span>Latest error</span> <code>{job.process.lastError}</code>{" "}
          <a href={href("failures", { job: name })}>All failures</a>
        </p>
      )}
      {job.process !== null && <Runs name={name} runs={runs} job={job} />}
      {limits.length > 0 && (
        <section>
          <h2>Objectives and options</h2>
          <dl class="facts-list">
            {limits.map(({ label, ms, number }) => (
              <Fact key={label} label={label}>
                {ms === null ? number : duration(ms)}
              </Fact>
            ))}
          </dl>
        </section>
      )}
      {schedules.length > 0 && (
        <section>
          <h2>Schedules</h2>
          <ScheduleTable schedules={schedules} />
        </section>
      )}
      {engines.length > 0 && (
        <section>
          <h2>Stored jobs</h2>
          <p class="buttons">
            {engines.map((engine) => (
              <a key={engine} href={href("jobs", { engine, job: name })}>
                List in engine {engine}
              </a>
            ))}
          </p>
        </section>
      )}
    </>
  );
}

function Figures({ job: { process, stored } }: { job: OverviewJob }) {
  return (
    <div class="panels">
      {process !== null && (
        <section class="panel">
          <h2 class="source">This process</h2>
          <dl class="figures">
            <Fact label="Runs/min">{count(process.perMinute)}</Fact>
            <Fact label="Failed, 1 h">
              {process.failedInHour === 0 ? (
                "0"
              ) : (
                <b class="bad">
                  {count(process.failedInHour)} ({percent(process.failedInHour / process.finishedInHour)})
                </b>
              )}
            </Fact>
            <Fact label="Running">{count(process.running)}</Fact>
            <Fact label="Last success">
              <Ago at={process.lastSuccessAt} />
            </Fact>
            <Fact label="Retries">{count(process.retries)}</Fact>
            <Fact label="Dead letters">{count(process.deadLettered)}</Fact>
          </dl>
          <Sparkline finished={process.finished} failed={process.failed} />
        </section>
      )}
      {stored !== null && (
        <section class="panel">
          <h2 class="source">Engines</h2>
          <dl class="figures">
            <Fact label="Waiting">{count(stored.waiting)}</Fact>
            <Fact label="Oldest wait">
              <Ago at={stored.oldestWaitingAt} bare />
            </Fact>
            <Fact label="Scheduled">{count(stored.scheduled)}</Fact>
            <Fact label="Running">{count(stored.running)}</Fact>
            <Fact label="Dead letters">
              {stored.deadLetters === 0 ? "0" : <b class="bad">{count(stored.deadLetters)}</b>}
            </Fact>
          </dl>
        </section>
      )}
    </div>
  );
}

function Runs({ name, runs, job }: { name: string; runs: readonly StripRun[]; job: OverviewJob }) {
  const waits = runs.flatMap(({ waitMs }) => (waitMs === null ? [] : [waitMs])).sort((a, b) => a - b);
  const at = (share: number) => waits[Math.min(waits.length - 1, Math.ceil(waits.length * share) - 1)] ?? 0;
  return (
    <section>
      <h2>
        {runs.length < 200 ? plural(runs.length, "run") : "The last 200 runs"}{" "}
        <small>of this process, the latest at the right</small>
      </h2>
      {runs.length === 0 ? <p class="none">No run has finished yet</p> : <Strip jobName={name} runs={runs} />}
      <div class="panels">
        <div>
          <h3>Duration</h3>
          <Histogram values={runs.map(({ durationMs }) => durationMs)} label="Durations" />
        </div>
        {waits.length > 0 && job.process !== null && (
          <div>
            <h3>Wait against run</h3>
            <Spans
              rows={[
                { label: "Wait", middleMs: at(0.5), highMs: at(0.95) },
                { label: "Run", middleMs: job.process.p50Ms ?? 0, highMs: job.process.p95Ms ?? 0 },
              ]}
            />
          </div>
        )}
      </div>
    </section>
  );
}
