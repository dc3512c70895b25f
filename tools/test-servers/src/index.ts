export { answersOn } from "./answers.ts";
export { embeddedDatabase, prepareEmbeddedFolder } from "./embedded-database.ts";
export { findCommand } from "./find-command.ts";
export { freePort } from "./free-port.ts";
export { endsWithThisProcess } from "./guard.ts";
export { hasProgram } from "./optional-program.ts";
export { type PgBouncer, pgBouncerProgram, startPgBouncer } from "./pgbouncer-server.ts";
export { type PostgresServer, startPostgres } from "./postgres-server.ts";
export {
  type PrometheusOptions,
  type PrometheusServer,
  prometheusProgram,
  startPrometheus,
} from "./prometheus-server.ts";
export { type RedisServer, startRedis } from "./redis-server.ts";
export { ServerProcess } from "./server-process.ts";
export { serverUser } from "./server-user.ts";
export { type SharedServer, sharedPostgres, sharedRedis } from "./shared-servers.ts";
