import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import type { PanelSpec } from "./panel-spec.ts";
import { rows } from "./panels.ts";

// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana.
const datasource = { type: "prometheus", uid: "${datasource}" };

const builders = { stat: StatBuilder, table: TableBuilder, timeseries: TimeseriesBuilder };
const heights = { stat: 4, table: 8, timeseries: 8 };

/** Builds the dashboard for Grafana. */
export function nidusDashboard(): Dashboard {
  const builder = new DashboardBuilder("Nidus jobs")
    .uid("nidus-jobs")
    .description(
      "Background jobs: runs, failures, backlog, engines and schedules, from the metrics of Nidus.",
    )
    .tags(["nidus", "jobs"])
    .refresh("30s")
    .time({ from: "now-6h", to: "now" })
    .withVariable(new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"))
    .withVariable(variable("service", "Service", "label_values(nidus_jobs_started_total, job)"))
    .withVariable(
      variable("job_name", "Job name", 'label_values(nidus_jobs_started_total{job=~"$service"}, job_name)'),
    )
    .withVariable(variable("engine", "Engine", 'label_values(nidus_engine_up{job=~"$service"}, engine)'));
  let id = 0;
  for (const { title, panels } of rows) {
    builder.withRow(new RowBuilder(title).id(++id));
    for (const spec of panels) builder.withPanel(panel(spec).id(++id));
  }
  return builder.build();
}

function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .query({ query, refId: "variables" })
    .datasource(datasource)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current({ text: "All", value: "$__all" });
}

function panel({ kind, title, description, unit, queries, width }: PanelSpec) {
  const builder = new builders[kind]()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(datasource)
    .span(width)
    .height(heights[kind]);
  for (const [index, [expression, legend]] of queries.entries()) {
    const query = new DataqueryBuilder()
      .refId(String.fromCharCode("A".charCodeAt(0) + index))
      .expr(expression)
      .legendFormat(legend);
    if (kind === "table") query.instant().format(PromQueryFormat.Table);
    builder.withTarget(query);
  }
  if (kind === "table") {
    builder.transformations([
      { id: "merge", options: {} },
      {
        id: "organize",
        options: {
          excludeByName: { Time: true },
          renameByName: Object.fromEntries([
            ["job", "Service"],
            ["job_name", "Job"],
            ...queries.map(([, legend], index) => [`Value #${String.fromCharCode(65 + index)}`, legend]),
          ]),
        },
      },
    ]);
  }
  return builder;
}
