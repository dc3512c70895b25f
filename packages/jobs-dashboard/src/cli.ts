#!/usr/bin/env node
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type CliArguments, cliArguments, help, UsageError } from "./cli/arguments.ts";
import { openEngines } from "./cli/open-engines.ts";
import { dashboardWith } from "./dashboard.ts";

try {
  const given = cliArguments(process.argv.slice(2));
  if (given.isHelp) console.log(help);
  else await serve(given);
} catch (error) {
  const isUsage = error instanceof UsageError;
  console.error(error instanceof Error ? error.message : error);
  if (isUsage) console.error("\nSee --help.");
  process.exitCode = isUsage ? 2 : 1;
}

/** Serves the page on loopback until the process is asked to end. */
async function serve(given: CliArguments): Promise<void> {
  const engines = await openEngines(given);
  const page = dashboardWith({}, given.isReadOnly ? "read" : "operate");
  for (const engine of engines) page.watch(engine);
  const server = createServer(page.handler());
  const end = (): void => {
    page.shutdown();
    server.close();
    server.closeAllConnections();
    void Promise.allSettled(engines.map((engine) => engine.close())).then(() => process.exit());
  };
  server.once("error", (error) => {
    console.error(error.message);
    process.exitCode = 1;
    end();
  });
  server.listen(given.port, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    console.log(`jobs: http://localhost:${port}/${given.isReadOnly ? " (read only)" : ""}`);
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
}
