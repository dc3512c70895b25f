import type {
  JobState,
  OverviewJob,
  OverviewView,
  ProcessFigures,
  SessionView,
  StoredFigures,
} from "../../wire.ts";
import type { ViewProps } from "../app.tsx";
import { count, duration, percent } from "../format.ts";
import { Ago, Code, Empty, Problems, StatePill, stateLabels } from "../parts/bits.tsx";
import { Sparkline } from "../parts/charts.tsx";
import { Choice, Filter, matches } from "../parts/filter.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { href } from "../route.ts";
import { useView } from "./use-view.ts";

const none = <span class="none">–</span>;

export function Overview({ session, route, onConnection }: ViewProps) {
  const view = useView<OverviewView>("overview", onConnection);
  const [filter, state] = [route.params.get("q") ?? "", route.params.get("state") ?? ""];
  if (view === undefined) return <p class="none">Loading…</p>;
  const found = view.jobs.filter(({ name, process }) => matches(filter, name, process?.lastError ?? null));
  const rows = found.filter((job) => state === "" || job.state === state);
  return (
    <>
      <h1 class="hidden">Overview</h1>
      <Problems engines={view.engines} />
      {view.namesBeyondLimit > 0 && (
        <p class="banner">
          {count(view.namesBeyondLimit)} further job names are counted together as &lt;overflow&gt;. A job
          name should not contain ids.
        </p>
      )}
      {view.jobs.length === 0 ? (
        <WhatToWire session={session} />
      ) : (
        <>
          <div class="bar">
            <States jobs={found} state={state} />
            <Filter value={filter} label="Filter by name or error" />
          </div>
          {rows.length === 0 ? (
            <Empty title="No job matches">
              <p>Clear the filter to see all {count(view.jobs.length)} jobs.</p>
            </Empty>
          ) : (
            <Table
              caption="Jobs, worst first"
              columns={columnsFor(session)}
              rows={rows}
              keyOf={({ name }) => name}
              scope={`overview ${filter} ${state}`}
              noun="job"
            />
          )}
        </>
      )}
    </>
  );
}

function States({ jobs, state }: { jobs: readonly OverviewJob[]; state: string }) {
  const counts = new Map<JobState, number>();
  for (const job of jobs) counts.set(job.state, (counts.get(job.state) ?? 0) + 1);
  const options = Object.entries(stateLabels)
    .filter(([key]) => counts.has(key as JobState) || key === state)
    .map(([key, label]) => ({ value: key, label, count: counts.get(key as JobState) ?? 0, kind: key }));
  return (
    <Choice
      label="State"
      param="state"
      value={state}
      options={[{ value: "", label: "All", count: jobs.length }, ...options]}
    />
  );
}

type Cell<T> = (figures: T) => preact.ComponentChildren;

function columnsFor({ process, engines }: SessionView): readonly Column<OverviewJob>[] {
  const own = (cell: Cell<ProcessFigures>) => (job: OverviewJob) =>
    job.process === null ? none : cell(job.process);
  const kept = (cell: Cell<StoredFigures>) => (job: OverviewJob) =>
    job.stored === null ? none : cell(job.stored);
  const number =
    (source: string) =>
    (label: string, cell: Column<OverviewJob>["cell"], narrowLabel = label) => ({
      source,
      label,
      cell,
      narrowLabel,
      isNumber: true,
    });
  const inProcess = number("This process");
  const inEngine = number(engines.length === 1 ? `Engine ${engines[0]?.name}` : "Engines");
  return [
    { label: "Job", kind: "name", cell: (job) => <Name job={job} /> },
    { label: "State", kind: "state", cell: ({ state }) => <StatePill state={state} /> },
    ...(process === null
      ? []
      : [
          {
            source: "This process",
            label: "Last 60 min",
            kind: "chart",
            cell: own(({ finished, failed }) =>
              finished.some((runs) => runs > 0) ? <Sparkline finished={finished} failed={failed} /> : none,
            ),
          },
          inProcess(
            "Runs/min",
            own(({ perMinute }) => figure(perMinute)),
          ),
          inProcess("Failed, 1 h", own(failedShare)),
          inProcess(
            "p50",
            own(({ p50Ms }) => time(p50Ms)),
          ),
          inProcess(
            "p95",
            own(({ p95Ms }) => time(p95Ms)),
          ),
          inProcess(
            "Running",
            own(({ running }) => figure(running)),
          ),
          inProcess(
            "Retries",
            own(({ retries }) => figure(retries)),
          ),
          inProcess(
            "Last success",
            own(({ lastSuccessAt }) => <Ago at={lastSuccessAt} />),
          ),
        ]),
    ...(engines.length === 0
      ? []
      : [
          inEngine(
            "Waiting",
            kept(({ waiting }) => figure(waiting)),
          ),
          inEngine(
            "Oldest",
            kept(({ oldestWaitingAt }) => <Ago at={oldestWaitingAt} bare />),
          ),
          inEngine(
            "Running",
            kept(({ running }) => figure(running)),
            "Running, stored",
          ),
          inEngine(
            "Dead letters",
            kept(({ deadLetters }) => (deadLetters === 0 ? none : <b class="bad">{count(deadLetters)}</b>)),
          ),
        ]),
  ];
}

function time(ms: number | null) {
  return ms === null ? none : duration(ms);
}

function Name({ job }: { job: OverviewJob }) {
  const isBad = job.state === "failing";
  return (
    <>
      <a href={href("job", { name: job.name })}>{job.name}</a>
      {job.reason !== "" && <small>{job.reason}</small>}
      {isBad && job.process?.lastError && (
        <small class="error" title={job.process.lastError}>
          {job.process.lastError}
        </small>
      )}
    </>
  );
}

function figure(value: number) {
  return value === 0 ? none : count(value);
}

function failedShare({ finishedInHour, failedInHour }: ProcessFigures) {
  if (failedInHour === 0) return none;
  return (
    <b class="bad" title={`${failedInHour} of ${finishedInHour}`}>
      {percent(failedInHour / finishedInHour)}
    </b>
  );
}

/** Says what to do until there is a job to show. */
export function WhatToWire({ session }: { session: SessionView }) {
  if (session.process === null && session.engines.length === 0) {
    return (
      <Empty title="Nothing feeds this page yet">
        <p>
          Add the page to your set-up, so that it sees the runs of this process. Then let it watch your
          engines.
        </p>
        <Code>{`const page = jobDashboard();
const observability = production("my-service").with(page);
const runner = observability.jobRunner();
page.watch(engine);`}</Code>
      </Empty>
    );
  }
  return (
    <Empty title="No job has run yet">
      <p>Jobs appear here with their first run{session.engines.length > 0 && ", or when they are stored"}.</p>
      {session.unwatched.length > 0 && (
        <>
          <p>This process has an engine that the page does not watch: {session.unwatched.join(", ")}.</p>
          <Code>page.watch(engine);</Code>
        </>
      )}
    </Empty>
  );
}
