/** The value of every label of the series that counts all label sets beyond the limit. */
export const overflowLabel = "<overflow>";

/** Longer label values are cut. With the limit on series, this bounds the size of a scrape and the memory. */
const maxLabelLength = 256;

/**
 * Converts a text to a label value. It goes through bytes for two reasons. Invalid Unicode has no UTF-8 form, so it is
 * counted under the form in which it would be written. And V8 keeps a whole text in memory as long as a slice of it
 * exists.
 */
export function labelValueOf(given: string): string {
  const value = given.length > maxLabelLength ? `${given.slice(0, maxLabelLength - 1)}…` : given;
  return Buffer.from(value).toString();
}
