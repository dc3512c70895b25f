import { jobDashboard } from "@nidus/jobs-dashboard";
import { type Cost, measured } from "./measure.ts";
import { nameAt, type OpenStore } from "./store.ts";

/** The views that read the store, by their address. */
const views = [
  "overview",
  "failures",
  "engines",
  "schedules",
  `job?name=${nameAt(0)}`,
  "jobs?engine=ENGINE",
  "jobs?engine=ENGINE&state=dead-lettered",
  `jobs?engine=ENGINE&job=${nameAt(0)}&state=waiting`,
];

/** Measures one reading of each view, in which nothing is remembered from the reading before. */
export async function pageRows({ store, engine }: OpenStore): Promise<Cost[]> {
  const rows: Cost[] = [];
  for (const view of views) {
    const address = view.replace("ENGINE", engine.name);
    const read = async (): Promise<void> => {
      const page = jobDashboard({ authorize: () => "read" });
      page.watch(engine);
      const answer = await page.fetch(new Request(`http://localhost/api/${address}`));
      if (!answer.ok) throw new Error(`${view}: ${answer.status} ${await answer.text()}`);
      await answer.text();
    };
    const cost = await measured(store, `page: ${view.replace("ENGINE", "…")}`, read);
    rows.push({ ...cost, requests: await store.requests(read) });
  }
  return rows;
}
