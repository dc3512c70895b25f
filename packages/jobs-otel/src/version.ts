/** The package's version, which names the instrumentation scope. `pnpm version-packages` keeps it. */
export const version = "0.0.0";
