/** Parses stored JSON text, and returns a value that is parsed already as it is. Returns undefined for text that is no JSON. */
export function parsedJson(stored: unknown): unknown {
  if (typeof stored !== "string") return stored;
  try {
    return JSON.parse(stored);
  } catch {
    return undefined;
  }
}
