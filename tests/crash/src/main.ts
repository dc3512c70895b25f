import { register } from "node:module";
import type { Task } from "./task.ts";

// An unhandled rejection must not go unseen: the tests take this status for a failure.
for (const event of ["unhandledRejection", "uncaughtException"]) {
  process.on(event, (error) => {
    console.error(`${event}:`, error);
    process.exit(70);
  });
}
// Without its parent a child has nothing to do.
const leave = (): never => process.exit(1);
process.on("disconnect", leave);

const task = JSON.parse(process.argv[2] ?? "null") as Task;
if (task.engine.isNewerMajor) {
  const newer = { bullmq: import.meta.resolve("bullmq-6"), "pg-boss": import.meta.resolve("pg-boss-12") };
  register("./alias-resolver.js", import.meta.url, { data: newer });
}

// Imported after the registration, which applies to later imports.
switch (task.role) {
  case "produce":
    await (await import("./produce.ts")).produce(task);
    break;
  case "work":
    await (await import("./work.ts")).work(task);
    break;
  case "stand-by":
    await (await import("./stand-by.ts")).standBy(task);
    break;
  case "race":
    await (await import("./race.ts")).race(task);
    break;
  case "claim":
    await (await import("./claim.ts")).claim(task);
    break;
}
// The process now ends by itself, unless a handle is still open.
process.off("disconnect", leave);
process.disconnect?.();
