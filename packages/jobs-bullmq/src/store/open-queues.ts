import { EngineUnavailableError } from "@nidus/jobs-durable";
import { withDeadline } from "@nidus/jobs-durable/backend";
import type { ConnectionOptions } from "bullmq";
import { hasTls } from "../connection/connection-options.ts";
import { isRefusal, openingError, wordlessTlsError } from "../connection/opening-error.ts";
import { redacted } from "../connection/redacted-error.ts";
import { checkServer } from "../connection/server-checks.ts";
import { Queues } from "./queues.ts";

const startWithinMs = 10_000;

/** Connects, and checks the server. Rejects within a bounded time, and at once for an error that a repetition would not change. */
export async function openQueues(
  queue: string,
  prefix: string,
  connection: ConnectionOptions,
  address: string,
  onError: (error: unknown) => void,
): Promise<Queues> {
  let lastError: unknown;
  let refuse = (_error: unknown): void => {};
  // Rejects at an error that a repetition would not change.
  const refused = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  refused.catch(() => {});
  const queues = new Queues(queue, prefix, connection, (error) => {
    lastError = error;
    if (isRefusal(error)) refuse(error);
    onError(error);
  });
  try {
    await withDeadline(
      Promise.race([checkServer(queues, address), refused]),
      startWithinMs,
      `Redis at ${address}`,
    );
    return queues;
  } catch (error) {
    const isLoading = EngineUnavailableError.isInstance(error) && (await queues.isLoading());
    queues.close().catch(() => {});
    const [safeError, safeLast] = [redacted(error), redacted(lastError)];
    const ofTls = hasTls(connection) ? wordlessTlsError(safeError, safeLast, address) : undefined;
    throw ofTls ?? openingError(safeError, safeLast, address, isLoading);
  }
}
