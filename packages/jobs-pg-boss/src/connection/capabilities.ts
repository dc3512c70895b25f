import type { EngineCapabilities } from "@nidus/jobs-durable";
import type { Connection } from "./connection.ts";

/** Lists what the engine can do on a connection. */
export function capabilitiesOf({ hasTransactions }: Connection): EngineCapabilities {
  return {
    persistence: true,
    schedules: true,
    scheduleKeys: true,
    intervals: true,
    transactions: hasTransactions,
    priorities: true,
    uniqueKeys: true,
    nullCharacters: false,
    listing: true,
    results: true,
    progress: true,
    snoozing: true,
  };
}
