import type { EngineTask, Report, Request } from "./task.ts";

/** Tells the parent; without one, as when a task is started by hand, it is printed. A parent that has said stop hears no more. */
export function report(message: Report): void {
  if (process.send === undefined) console.log(JSON.stringify(message));
  else if (process.connected) process.send(message);
}

/** Tells the parent that the task has begun. */
export function reportReady({ kind }: EngineTask): void {
  report({ type: "ready", library: import.meta.resolve(kind === "bullmq" ? "bullmq" : "pg-boss") });
}

/** Answers the parent's requests from here on. */
export function onRequest(answer: (request: Request) => void): void {
  process.on("message", (request) => answer(request as Request));
}

/** Resolves when the parent says this. */
export function requested(awaited: Request): Promise<void> {
  return new Promise((resolve) => {
    onRequest((request) => {
      if (request === awaited) resolve();
    });
  });
}
