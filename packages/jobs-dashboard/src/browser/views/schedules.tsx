import type { ScheduleRow } from "../../wire.ts";
import type { SchedulesView } from "../../wire-stored.ts";
import type { ViewProps } from "../app.tsx";
import { duration } from "../format.ts";
import { Ago, Code, Empty, Problems } from "../parts/bits.tsx";
import { Filter, matches } from "../parts/filter.tsx";
import { Table } from "../parts/table.tsx";
import { href } from "../route.ts";
import { useView } from "./use-view.ts";

export function Schedules({ session, route, onConnection }: ViewProps) {
  const view = useView<SchedulesView>("schedules", onConnection);
  const filter = route.params.get("q") ?? "";
  if (view === undefined) return <p class="none">Loading…</p>;
  const rows = view.schedules.filter(({ jobName, key }) => matches(filter, jobName, key));
  return (
    <>
      <h1>Schedules</h1>
      <Problems engines={view.engines} />
      {view.schedules.length > 0 && (
        <div class="bar">
          <Filter value={filter} label="Filter by job or key" />
        </div>
      )}
      {view.schedules.length === 0 &&
        (session.engines.length === 0 ? (
          <Empty title="The page watches no engine">
            <Code>page.watch(engine);</Code>
          </Empty>
        ) : (
          <Empty title="No schedules">
            <p>Jobs that run again and again appear here.</p>
            <Code>{`await engine.schedule(job, "*/5 * * * *");`}</Code>
          </Empty>
        ))}
      {rows.length > 0 && <ScheduleTable schedules={rows} />}
    </>
  );
}

export function ScheduleTable({ schedules }: { schedules: readonly ScheduleRow[] }) {
  return (
    <Table
      caption="Schedules, the next due first"
      rows={schedules}
      keyOf={({ engine, jobName, key }) => JSON.stringify([engine, jobName, key])}
      scope="schedules"
      noun="schedule"
      columns={[
        {
          label: "Job",
          kind: "name",
          cell: ({ jobName, key, engine }) => (
            <>
              <a href={href("job", { name: jobName })}>{jobName}</a>
              <small>
                {key === null ? "" : `key ${key}, `}engine {engine}
              </small>
            </>
          ),
        },
        {
          label: "Rule",
          cell: ({ cron, everyMs }) =>
            everyMs !== null ? `every ${duration(everyMs)}` : <code>{cron}</code>,
        },
        { label: "Time zone", cell: ({ timeZone }) => timeZone ?? <span class="none">–</span> },
        { label: "Next", isNumber: true, cell: ({ nextRunAt }) => <Ago at={nextRunAt} /> },
        { label: "Last due", isNumber: true, cell: ({ lastScheduledAt }) => <Ago at={lastScheduledAt} /> },
        {
          label: "Last success here",
          narrowLabel: "Success here",
          isNumber: true,
          cell: ({ lastSuccessAt }) => <Ago at={lastSuccessAt} />,
        },
      ]}
    />
  );
}
