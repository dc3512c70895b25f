import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Arguments } from "./arguments.ts";
import { openDigestEngine } from "./digest-engine.ts";
import { runDigests } from "./digest-run.ts";
import { requireRepository } from "./git-history.ts";
import { defaultFolder } from "./run-folder.ts";
import { createService } from "./service.ts";
import { startTelemetry } from "./telemetry.ts";
import { UserError } from "./user-error.ts";
import { version } from "./version.ts";

/** How long open requests may take after their jobs have seen the signal, in milliseconds. */
const shutdownTimeoutMs = 10_000;

/**
 * Serves requests and sends digests until SIGTERM or SIGINT, including digests that other processes enqueued. Then
 * running jobs that do not end soon go back to the queue, open requests are answered, and telemetry is sent.
 */
export async function start(options: Arguments): Promise<number> {
  const { repository, out, concurrency, port, engine: choice } = options;
  await requireRepository(repository);
  const folder = out ?? (await defaultFolder(repository));
  const telemetry = startTelemetry(version);
  const stopping = new AbortController();
  const stopped = new Promise<string>((resolve) => {
    process.once("SIGTERM", resolve).once("SIGINT", resolve);
  });
  try {
    await using digestEngine = await openDigestEngine({
      choice,
      repository,
      folder,
      smtpUrl: process.env.SMTP_URL,
      concurrency,
      telemetry,
    });
    // Sends the digests that the last process left.
    await digestEngine.work();
    const server = createService({
      metrics: telemetry.observability.metricsHandler(),
      stopping: stopping.signal,
      runDigests: () => runDigests({ repository, folder, digestEngine, signal: stopping.signal }),
    });
    await listen(server, port);
    console.log(
      `users-api listens on http://127.0.0.1:${(server.address() as AddressInfo).port}, writing to ${folder}`,
    );

    const signal = await stopped;
    console.log(`users-api is stopping (${signal})`);
    stopping.abort(new Error("the service is stopping"));
    await Promise.all([digestEngine.stop(), close(server)]);
  } finally {
    await telemetry.observability.shutdown();
  }
  console.log("users-api has stopped");
  return 0;
}

/** @throws (rejects with) UserError if the port cannot be used. */
async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`cannot listen on 127.0.0.1:${port} (${error.code})`, { cause: error });
  });
}

/** Resolves when every open request has been answered, or after a time limit. */
async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), shutdownTimeoutMs);
  await closed;
  clearTimeout(deadline);
}
