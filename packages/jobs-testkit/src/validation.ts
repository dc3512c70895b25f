import { invalidArgument } from "@nidus/jobs-core/adapter";

/** @throws TypeError for what is not a non-empty string. */
export function requireText(what: string, value: string): void {
  if (!value || typeof value !== "string") throw invalidArgument(what, "a non-empty string", value);
}
