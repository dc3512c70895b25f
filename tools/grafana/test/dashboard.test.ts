import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nidusDashboard } from "../src/dashboard.ts";

const committed = JSON.parse(
  readFileSync(new URL("../../../packages/jobs-prometheus/grafana/nidus-jobs.json", import.meta.url), "utf8"),
);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly description?: string;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

const panels: readonly Panel[] = committed.panels;
const queried = panels.filter(({ type }) => type !== "row");

describe("the dashboard that jobs-prometheus ships", () => {
  it("is the generated one", () => {
    expect(committed).toEqual(JSON.parse(JSON.stringify(nidusDashboard())));
  });

  it("is classic JSON that asks for no input at its import", () => {
    expect(committed.schemaVersion).toBeGreaterThanOrEqual(39);
    expect(committed.schemaVersion).toBeLessThanOrEqual(42);
    expect(committed).not.toHaveProperty("__inputs");
    const variables = committed.templating.list.map(({ name }: { name: string }) => name);
    expect(variables).toEqual(["datasource", "service", "job_name", "engine"]);
  });

  it("gives panels and queries ids of their own", () => {
    const ids = panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { targets = [] } of queried) {
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    }
  });

  it("gives each panel a description, a unit and a query", () => {
    for (const { description, fieldConfig, targets } of queried) {
      expect(description).toMatch(/\.$/);
      expect(fieldConfig?.defaults.unit).toMatch(/\w/);
      expect(targets?.length).toBeGreaterThan(0);
    }
  });

  it("rates over Grafana's own interval alone", () => {
    const rates = queried.flatMap(({ targets = [] }) =>
      targets.flatMap(({ expr }) => expr.match(/rate\([^[]*\[([^\]]+)/g) ?? []),
    );
    expect(rates.length).toBeGreaterThan(8);
    for (const rate of rates) expect(rate).toContain("[$__rate_interval");
  });
});
