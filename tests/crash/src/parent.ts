import type { EngineTask, Report, Request } from "./task.ts";

/** Sends a report to the parent, until the parent says stop. Without a parent, prints the report. */
export function report(message: Report): void {
  if (process.send === undefined) console.log(JSON.stringify(message));
  else if (process.connected) process.send(message);
}

/** Reports to the parent that the task has begun. */
export function reportReady({ kind }: EngineTask): void {
  report({ type: "ready", library: import.meta.resolve(kind === "bullmq" ? "bullmq" : "pg-boss") });
}

/** Answers the parent's requests from here on. */
export function onRequest(answer: (request: Request) => void): void {
  process.on("message", (request) => answer(request as Request));
}

/** Resolves when the parent sends this request. */
export function requested(awaited: Request): Promise<void> {
  return new Promise((resolve) => {
    onRequest((request) => {
      if (request === awaited) resolve();
    });
  });
}
