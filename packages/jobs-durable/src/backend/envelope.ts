import type { JobEnvelope } from "./job-backend.ts";

/** What was stored, as an envelope, whoever stored it: what has not the right shape is left out. */
export function envelopeFrom(stored: unknown): JobEnvelope {
  if (typeof stored !== "object" || stored === null) return {};
  const { payload, carrier, correlationId } = stored as Record<string, unknown>;
  return {
    ...(payload !== undefined && { payload }),
    ...(typeof carrier === "object" && carrier !== null && { carrier: headersOf(carrier) }),
    ...(typeof correlationId === "string" && { correlationId }),
  };
}

function headersOf(carrier: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(carrier).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
