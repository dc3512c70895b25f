import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Arguments } from "./arguments.ts";
import { runDigests } from "./digest-run.ts";
import { requireRepository } from "./git-history.ts";
import { temporaryFolder } from "./outbox.ts";
import { createService } from "./service.ts";
import { startTelemetry } from "./telemetry.ts";
import { UserError } from "./user-error.ts";
import { version } from "./version.ts";

/** How long open requests may take to end after their jobs have seen the signal. */
const shutdownTimeoutMs = 10_000;

/** Serves until SIGTERM or SIGINT: then running jobs see their signal, what is open is answered, and telemetry is sent. */
export async function start({ repository, out, concurrency, port }: Arguments): Promise<number> {
  await requireRepository(repository);
  const folder = out ?? (await temporaryFolder());
  const telemetry = startTelemetry(version);
  const stopping = new AbortController();
  const server = createService({
    metrics: telemetry.observability.metricsHandler(),
    stopping: stopping.signal,
    runDigests: () =>
      runDigests({
        repository,
        folder,
        concurrency,
        telemetry,
        smtpUrl: process.env.SMTP_URL,
        signal: stopping.signal,
      }),
  });
  const stopped = new Promise<string>((resolve) => {
    process.once("SIGTERM", resolve).once("SIGINT", resolve);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`cannot listen on 127.0.0.1:${port} (${error.code})`, { cause: error });
  });
  console.log(
    `users-api listens on http://127.0.0.1:${(server.address() as AddressInfo).port}, writing to ${folder}`,
  );

  const signal = await stopped;
  console.log(`users-api is stopping (${signal})`);
  stopping.abort(new Error("the service is stopping"));
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), shutdownTimeoutMs);
  await closed;
  clearTimeout(deadline);
  await telemetry.observability.shutdown();
  console.log("users-api has stopped");
  return 0;
}
