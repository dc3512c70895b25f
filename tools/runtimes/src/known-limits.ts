/** A check that fails on some runtimes, for a known reason outside of this repository. */
export interface KnownLimit {
  readonly check: string;
  /** Names of runtimes. */
  readonly runtimes: readonly string[];
  readonly reason: string;
}

/** The known limits. Every other failure is an error, and so is a limit that no longer fails. */
export const knownLimits: readonly KnownLimit[] = [
  {
    check: "observability: await using shuts down, as it is written",
    runtimes: ["node-20", "node-22"],
    reason:
      "their V8 does not know the syntax: compile it, as TypeScript and esbuild do, or call `shutdown()`",
  },
];
