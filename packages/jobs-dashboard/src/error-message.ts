import { formatValue, propertyOf } from "@nidus/jobs-core/adapter";

/** Returns the message of whatever was thrown, to show it in the page. Never throws. */
export function errorMessageOf(thrown: unknown): string {
  const message = propertyOf(thrown, "message");
  return typeof message === "string" ? message : formatValue(thrown);
}
