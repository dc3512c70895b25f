/** A process warning, which shows on stderr and can be silenced or listened to like any other of Node's. */
export function warn(message: string, error: unknown): void {
  process.emitWarning(`${message}: ${textOf(error)}`, { type: "NidusWarning", code: "NIDUS_OBSERVER" });
}

function textOf(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return "(it cannot be shown)";
  }
}
