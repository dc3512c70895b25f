import type { SessionView } from "../../wire.ts";
import type { StoredJobRow, StoredJobsView, StoredState } from "../../wire-stored.ts";
import type { ViewProps } from "../app.tsx";
import { Ago, Code, Empty, Problems, StoredPill, storedLabels } from "../parts/bits.tsx";
import { Choice } from "../parts/filter.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { href, setParams } from "../route.ts";
import { Bulk } from "./bulk-actions.tsx";
import { JobActions } from "./job-actions.tsx";
import { Progress } from "./running.tsx";
import { address, useView } from "./use-view.ts";

export function Jobs(props: ViewProps) {
  const { session, route } = props;
  const asked = route.params.get("engine");
  const engine = session.engines.find(({ key }) => key === asked) ?? session.engines[0];
  if (engine === undefined) {
    return (
      <Empty title="The page watches no engine">
        <p>Stored jobs are listed here: waiting, running, dead letters and the rest.</p>
        <Code>page.watch(engine);</Code>
      </Empty>
    );
  }
  return <List {...props} engine={engine} />;
}

function List({
  session,
  route,
  onConnection,
  engine,
}: ViewProps & { engine: SessionView["engines"][number] }) {
  const [job, state, cursor] = ["job", "state", "cursor"].map((key) => route.params.get(key) ?? "") as [
    string,
    string,
    string,
  ];
  const shownState = engine.canList ? state : "dead-lettered";
  const view = useView<StoredJobsView>(
    address("jobs", { engine: engine.key, job, state: shownState, cursor }),
    onConnection,
  );
  const canOperate = session.access === "operate";
  return (
    <>
      <h1>Jobs</h1>
      <div class="bar">
        {session.engines.length > 1 && (
          <Choice
            label="Engine"
            param="engine"
            value={engine.key}
            options={session.engines.map(({ key }) => ({ value: key, label: key }))}
          />
        )}
        <NameChoice job={job} names={view?.names ?? []} />
        <FindById engine={engine.key} />
      </div>
      {engine.canList ? (
        <div class="bar">
          <States counts={view?.counts ?? null} state={state} />
        </div>
      ) : (
        <p class="lead">This engine lists dead letters alone.</p>
      )}
      {view !== undefined && <Problems engines={[{ ...view, name: view.engine }]} />}
      {view === undefined && <p class="none">Loading…</p>}
      {view?.isRead && view.jobs.length === 0 && (
        <Empty title="No jobs here">{job !== "" && <p>Named {job}.</p>}</Empty>
      )}
      {view !== undefined && view.jobs.length > 0 && (
        <>
          {canOperate && <Bulk view={view} job={job} state={shownState} canChangeAll={engine.canChangeAll} />}
          <Table
            caption="Stored jobs"
            columns={columnsFor(view.jobs, engine.key, canOperate)}
            rows={view.jobs}
            keyOf={({ id }) => id}
            scope={`jobs ${engine.key} ${job} ${state} ${cursor}`}
            noun="job"
          />
          <p class="buttons">
            {cursor !== "" && (
              <button type="button" onClick={() => history.back()}>
                Back
              </button>
            )}
            {view.cursor !== null && (
              <a class="button" href={href("jobs", { engine: engine.key, job, state, cursor: view.cursor })}>
                Next 50
              </a>
            )}
          </p>
        </>
      )}
    </>
  );
}

function States({ counts, state }: { counts: StoredJobsView["counts"]; state: string }) {
  const options = (Object.keys(storedLabels) as StoredState[]).map((value) => ({
    value,
    label: storedLabels[value],
    ...(counts !== null && { count: counts[value] }),
  }));
  return (
    <Choice label="State" param="state" value={state} options={[{ value: "", label: "All" }, ...options]} />
  );
}

function NameChoice({ job, names }: { job: string; names: readonly string[] }) {
  const all = job === "" || names.includes(job) ? names : [job, ...names];
  return (
    <label class="select">
      <span>Job</span>
      <select value={job} onChange={(event) => setParams({ job: event.currentTarget.value, cursor: null })}>
        <option value="">All names</option>
        {all.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function FindById({ engine }: { engine: string }) {
  const find = (event: KeyboardEvent) => {
    const id = (event.currentTarget as HTMLInputElement).value.trim();
    if (event.key === "Enter" && id !== "") location.hash = href("stored", { engine, id });
  };
  return (
    <label class="filter">
      <span class="hidden">Find a job by its id</span>
      <input type="search" data-filter placeholder="Find a job by its id, then Enter" onKeyDown={find} />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

function columnsFor(
  rows: readonly StoredJobRow[],
  engine: string,
  canOperate: boolean,
): readonly Column<StoredJobRow>[] {
  const has = (test: (job: StoredJobRow) => boolean) => rows.some(test);
  return [
    {
      label: "Job",
      kind: "name",
      cell: ({ id, jobName, lastError }) => (
        <>
          <a href={href("stored", { engine, id })}>{jobName}</a>
          <small>
            <code>{id}</code>
          </small>
          {lastError !== null && (
            <small class="error" title={lastError}>
              {lastError}
            </small>
          )}
        </>
      ),
    },
    { label: "State", kind: "state", cell: ({ state }) => <StoredPill state={state} /> },
    ...(has(({ progress }) => progress !== null) ? [{ label: "Progress", cell: Progress }] : []),
    {
      label: "Attempt",
      isNumber: true,
      cell: ({ attempt, maxAttempts }) => (maxAttempts === null ? attempt : `${attempt} of ${maxAttempts}`),
    },
    ...(has(({ enqueuedAt }) => enqueuedAt !== null)
      ? [
          {
            label: "Enqueued",
            isNumber: true,
            cell: ({ enqueuedAt }: StoredJobRow) => <Ago at={enqueuedAt} />,
          },
        ]
      : []),
    ...(has(({ runAt }) => runAt !== null)
      ? [{ label: "Due", isNumber: true, cell: ({ runAt }: StoredJobRow) => <Ago at={runAt} /> }]
      : []),
    ...(has(({ finishedAt }) => finishedAt !== null)
      ? [{ label: "Ended", isNumber: true, cell: ({ finishedAt }: StoredJobRow) => <Ago at={finishedAt} /> }]
      : []),
    ...(canOperate
      ? [
          {
            label: "Actions",
            kind: "links",
            cell: (job: StoredJobRow) => <JobActions job={job} engine={engine} />,
          },
        ]
      : []),
  ];
}
