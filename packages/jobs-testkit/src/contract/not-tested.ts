import type { EngineCapabilities } from "@nidus/jobs-durable";

/** Lists the capabilities that an engine does not claim, and that therefore no test needs. */
export function notClaimed(capabilities: EngineCapabilities): string[] {
  return Object.entries(capabilities)
    .filter(([, isClaimed]) => !isClaimed)
    .map(([name]) => `\`${name}\` (not claimed in \`capabilities\`)`);
}

/** Prints one line to the output of the test runner. */
export function tellNotTested(contract: string, engine: string, what: readonly string[]): void {
  console.info(`${contract} of "${engine}" did not test: ${what.join("; ")}.`);
}
