import { writeFileSync } from "node:fs";
import { nidusDashboard } from "./dashboard.ts";

const path = new URL("../../../packages/jobs-prometheus/grafana/nidus-jobs.json", import.meta.url);
writeFileSync(path, `${JSON.stringify(nidusDashboard(), null, 2)}\n`);
