import { formatValue } from "@nidus/jobs-core/adapter";

/** The message of whatever was thrown, whole. It never throws. */
export function messageOf(thrown: unknown): string {
  try {
    const message = typeof thrown === "string" ? thrown : (thrown as { message?: unknown } | null)?.message;
    if (typeof message === "string") return message;
    return formatValue(message === undefined ? thrown : message);
  } catch {
    return "an error whose message cannot be read";
  }
}

/** The name and the message of whatever was thrown, whole. It never throws. */
export function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return messageOf(thrown);
  }
}
