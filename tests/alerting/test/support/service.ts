import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import { production } from "@nidus/observability";

/** A service whose metrics can be scraped. */
export interface Service {
  readonly runner: ObservedJobRunner;
  readonly port: number;
  close(): void;
}

/** Starts a service without jobs, which counts few names apart. */
export async function startService(): Promise<Service> {
  const observability = production("alerting").prometheus({ maxSeries: 4 });
  const server = createServer(observability.metricsHandler());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    runner: observability.jobRunner(),
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
