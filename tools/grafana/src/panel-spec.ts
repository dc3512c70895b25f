/** A panel of the dashboard: a question about jobs, and the queries that answer it. */
export interface PanelSpec {
  readonly kind: "timeseries" | "stat" | "table";
  readonly title: string;
  readonly description: string;
  /** A unit of Grafana. */
  readonly unit: string;
  /** PromQL and the legend of each. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
  /** Of 24 columns. */
  readonly width: number;
}

/** A row of panels. */
export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}
