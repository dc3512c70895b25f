/** A check that fails on some runtimes for a reason that is known and not ours to mend. */
export interface KnownLimit {
  readonly check: string;
  /** Names of runtimes. */
  readonly runtimes: readonly string[];
  readonly reason: string;
}

/** Anything else that fails is an error, and so is a limit that is no longer one. */
export const knownLimits: readonly KnownLimit[] = [
  {
    check: "observability: await using shuts down, as it is written",
    runtimes: ["node-20", "node-22"],
    reason:
      "their V8 does not know the syntax: compile it, as TypeScript and esbuild do, or call `shutdown()`",
  },
];
