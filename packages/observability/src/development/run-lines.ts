import type { JobError } from "@nidus/jobs-core";
import type { JobResultStatus, ObservedJobContext, SettledJobContext } from "@nidus/jobs-observe";
import type { Paint } from "./paint.ts";

const marks = { success: ["✓", "green"], failure: ["✗", "red"], cancelled: ["■", "yellow"] } as const;

/** Longer texts are cut, to keep lines readable. */
const maxCharacters = 500;

/** Returns the line of a finished run, such as `12:03:04.567 ✓ send_digest 12.3 ms request_id=req-1`. */
export function runLine(
  context: ObservedJobContext,
  status: JobResultStatus,
  error: JobError | undefined,
  paint: Paint,
): string {
  const [mark, colour] = marks[status];
  const { jobName, attributes, delivery, durationMs = 0, startedAtMs } = context;
  const attempt = delivery === undefined ? [] : [`attempt ${delivery.attempt} of ${delivery.maxAttempts}`];
  const facts = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
  return [
    paint("gray", timeOfDay(startedAtMs + durationMs)),
    paint(colour, mark),
    printable(jobName),
    paint("gray", printable([durationText(durationMs), ...attempt, ...facts].join(" "))),
    ...(error === undefined || status !== "failure" ? [] : [paint(colour, printable(messageOf(error)))]),
  ].join(" ");
}

const settlements = {
  retried: ["↻", "yellow", "will be retried"],
  snoozed: ["↻", "gray", "will run again later, as its handler asked"],
  stalled: ["↻", "yellow", "stalled: its worker died or lost its lease"],
  "dead-lettered": ["†", "red", "is a dead letter"],
  lost: ["†", "red", "has run, but its end was not recorded: its lease was lost"],
} as const;

/** Returns the line of a delivery's outcome, or undefined if the line of its run says it already. */
export function settlementLine(
  { jobName, delivery, outcome }: SettledJobContext,
  paint: Paint,
): string | undefined {
  if (outcome === "succeeded" || outcome === "cancelled") return undefined;
  const [mark, colour, text] = settlements[outcome];
  return [
    paint("gray", timeOfDay(Date.now())),
    paint(colour, mark),
    printable(jobName),
    text,
    paint("gray", printable(`id=${delivery.jobId}`)),
  ].join(" ");
}

/** Returns a job's name and why a run of it failed, safe to print. */
export function failureText(
  jobName: string,
  error: JobError | undefined,
): [jobName: string, message: string] {
  return [printable(jobName), error === undefined ? "" : printable(messageOf(error))];
}

function timeOfDay(unixMs: number): string {
  const date = new Date(unixMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const milliseconds = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

function durationText(durationMs: number): string {
  if (durationMs >= 10_000) return `${(durationMs / 1000).toFixed(1)} s`;
  return `${durationMs.toFixed(durationMs < 10 ? 2 : 0)} ms`;
}

function messageOf(error: JobError): unknown {
  try {
    return error.message;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "something";
  }
}

/** Makes a text safe to print: names and messages are untrusted. The result is one line without terminal control characters. */
function printable(value: unknown): string {
  const text = textOf(value);
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}
