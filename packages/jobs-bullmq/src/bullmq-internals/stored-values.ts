/** Returns the first value that is a time in Unix milliseconds, or now. Other programs store texts, and times beyond the year 275760. */
export function timeOf(...values: readonly unknown[]): number {
  const isTime = (value: unknown): value is number =>
    typeof value === "number" && value >= 0 && value <= 8.64e15;
  return values.find(isTime) ?? Date.now();
}

/** Returns a count from 0. Returns 0 if another program has stored a value that is no count. */
export function countOf(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : 0;
}
