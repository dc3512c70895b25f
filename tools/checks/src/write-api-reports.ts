import { writeApiReports } from "./api-reports.ts";

writeApiReports();
