/**
 * Returns the text, or its first `maxLength - 1` characters and "…" if it is longer. Never splits a surrogate pair. A value that
 * is not a string gives an empty text.
 */
export function cutText(text: unknown, maxLength: number): string {
  const all = typeof text === "string" ? text : "";
  return all.length <= maxLength ? all : `${all.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
