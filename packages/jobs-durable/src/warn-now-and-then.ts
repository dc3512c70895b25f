const warningIntervalMs = 60_000;

/** What engines do with errors that nobody listens for: a process warning, at most one a minute. */
export function warnNowAndThen(): (error: unknown) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (performance.now() - lastMs < warningIntervalMs) return;
    lastMs = performance.now();
    process.emitWarning(error instanceof Error ? error.message : String(error), "NidusWarning");
  };
}
