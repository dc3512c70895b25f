import { type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import { onTestFinished } from "vitest";
import type { JobRunMessage } from "../../src/observers/diagnostics-channel.ts";

export const runChannel: TracingChannel<unknown, JobRunMessage> = tracingChannel("nidus:job.run");

export const runEvents = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
type RunEvent = (typeof runEvents)[number];

/** Subscribes until the test has finished, or until the returned function is called. */
export function subscribe(event: RunEvent, handler: (message: JobRunMessage) => void): () => void {
  const listener = (message: unknown): void => handler(message as JobRunMessage);
  const unsubscribe = (): void => void runChannel[event].unsubscribe(listener);
  runChannel[event].subscribe(listener);
  onTestFinished(unsubscribe);
  return unsubscribe;
}

/** Collects the messages published from now on, in order, such as ["start send_digest", "end send_digest"]. */
export function recordStory(): string[] {
  const story: string[] = [];
  for (const event of runEvents) subscribe(event, ({ context }) => story.push(`${event} ${context.jobName}`));
  return story;
}
