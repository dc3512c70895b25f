export type { SqlDatabase } from "./sql-database.ts";
export { type TableEngineOptions, tableEngine } from "./table-engine.ts";
