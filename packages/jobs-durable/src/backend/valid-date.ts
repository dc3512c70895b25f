import { isDate } from "node:util/types";

/** The date itself, also one of another realm; undefined for what is no date, or no moment. */
export function validDate(value: unknown): Date | undefined {
  return isDate(value) && Number.isFinite(value.getTime()) ? value : undefined;
}
