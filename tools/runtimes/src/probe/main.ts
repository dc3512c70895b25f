import type { Checks } from "./check.ts";

/** One module for each package, so that a failing import does not hide the other packages. */
const modules: Readonly<Record<string, () => Promise<{ readonly checks: Checks }>>> = {
  "jobs-core": () => import("./jobs-core.ts"),
  "jobs-observe": () => import("./jobs-observe.ts"),
  "jobs-prometheus": () => import("./jobs-prometheus.ts"),
  "jobs-otel": () => import("./jobs-otel.ts"),
  "jobs-otel/sdk": () => import("./otel-pipeline.ts"),
  observability: () => import("./observability.ts"),
  "jobs-durable": () => import("./jobs-durable.ts"),
  "jobs-dashboard": () => import("./jobs-dashboard.ts"),
};

const limitMs = 10_000;

for (const [name, load] of Object.entries(modules)) {
  let checks: Checks = {};
  await report(`${name}: can be imported`, async () => {
    ({ checks } = await load());
  });
  for (const [what, check] of Object.entries(checks)) await report(`${name}: ${what}`, check);
}

/** Writes a line of JSON for the check, whether it passes or not. The parent process reads it. */
async function report(check: string, run: () => void | Promise<void>): Promise<void> {
  try {
    await limited(run);
    console.log(JSON.stringify({ check }));
  } catch (error) {
    console.log(JSON.stringify({ check, error: String(error).replace(/\s+/g, " ").slice(0, 300) }));
  }
}

async function limited(run: () => void | Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}
