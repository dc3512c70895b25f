import type { JobError } from "@nidus/jobs-core";
import { cutText, formatValue, propertyOf, thrownErrorOf } from "@nidus/jobs-core/adapter";
import type { ErrorText } from "../wire.ts";

/** The limits of a kept error, in characters. They bound the memory of the failures that are kept. */
const maxMessage = 2_000;
const maxStack = 4_000;
const maxCauses = 5;
const maxCauseMessage = 500;

/** Returns an error as bounded text. Never throws. */
export function errorTextOf(error: JobError): ErrorText {
  const thrown = thrownErrorOf(error);
  return {
    className: classOf(thrown),
    code: codeOf(thrown),
    message: copied(textOf(propertyOf(error, "message")) ?? formatValue(error), maxMessage),
    stack: copied(textOf(propertyOf(thrown, "stack")) ?? "", maxStack),
    causes: causesOf(thrown),
  };
}

function causesOf(error: unknown): ErrorText["causes"] {
  const causes: { className: string; message: string }[] = [];
  const seen = new Set([error]);
  for (let cause = propertyOf(error, "cause"); isKnown(cause) && !seen.has(cause); ) {
    if (causes.length === maxCauses) break;
    seen.add(cause);
    const message =
      typeof propertyOf(cause, "stack") === "string" ? textOf(propertyOf(cause, "message")) : undefined;
    causes.push({
      className: classOf(cause),
      message: copied(message ?? formatValue(cause), maxCauseMessage),
    });
    cause = propertyOf(cause, "cause");
  }
  return causes;
}

function isKnown(cause: unknown): boolean {
  return cause !== undefined && cause !== null && typeof cause !== "function";
}

function classOf(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return typeof thrown;
  const name = textOf(propertyOf(thrown, "name"));
  const maker = textOf(propertyOf(propertyOf(thrown, "constructor"), "name"));
  const own = name === undefined || name === "Error" ? (maker ?? name) : name;
  return copied(own ?? "object", 100);
}

function codeOf(thrown: unknown): string | null {
  const code = propertyOf(thrown, "code");
  if (typeof code === "number") return String(code);
  return typeof code === "string" && code !== "" && code !== "NIDUS_JOB_FAILED" ? copied(code, 100) : null;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Cuts a text, and copies it: V8 keeps a whole text in memory for as long as a slice of it exists. */
export function copied(text: string, maxLength: number): string {
  return Buffer.from(cutText(text, maxLength)).toString();
}

/** Returns a short text as it is, and else what `copied` returns: a copy has no unpaired surrogates. */
export function bounded(text: string, maxLength: number): string {
  return text.length <= maxLength && text.isWellFormed() ? text : copied(text, maxLength);
}

/**
 * Replaces what differs between two failures of one kind, in at most 300 characters. Its patterns, and those of `topFrame`, take time in
 * proportion to the text: each begins where a word does, and so reads a word once.
 */
export function normalisedMessage(message: string): string {
  const words = cutText(message, 300)
    .replace(/\s+/g, " ")
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<id>")
    .replace(/(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}/g, "<address>")
    .replace(/\bhttps?:\/\/[^\s"']+/gi, "<url>")
    .replace(/"[^"]{0,200}"|(?<!\w)'[^']{0,200}'(?!\w)|`[^`]{0,200}`/g, "<text>")
    .replace(/\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b/gi, "<id>")
    .replace(/\d+(?:[.:]\d+)*/g, "<n>")
    .trim();
  return cutText(words, 300);
}

/** Finds the first frame of a stack that is the application's own, or else the first. */
export function topFrame(stack: string): string | null {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  const own = frames.find((line) => !/\((?:node:|internal)|node_modules|at (?:node:|async node:)/.test(line));
  const frame = (own ?? frames[0])?.trim().replace(/^at (?:async )?/, "");
  return frame === undefined ? null : cutText(frame.replace(/(?<![^\s()])[^\s()]*[/\\]/, ""), 200);
}
