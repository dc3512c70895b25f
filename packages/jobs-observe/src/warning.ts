import { formatValue } from "@nidus/jobs-core/adapter";

/** A process warning, which shows on stderr and can be silenced or listened to like any other of Node's. */
export function warn(message: string, error: unknown): void {
  process.emitWarning(`${message}: ${formatValue(error)}`, "NidusWarning");
}
