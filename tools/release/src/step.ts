/**
 * Runs one step, and prints a line with its result and duration.
 *
 * @throws (rejects with) the error of the step, after a line that names it.
 */
export async function step<T>(
  name: string,
  body: () => Promise<T>,
  said: (value: T) => string = () => "",
): Promise<T> {
  const startedMs = performance.now();
  const line = (mark: string, text: string): void => {
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    console.log(`${mark} ${[name, text].filter(Boolean).join(": ")} (${seconds} s)`);
  };
  try {
    const value = await body();
    line("ok  ", said(value));
    return value;
  } catch (error) {
    line("FAIL", "");
    throw error;
  }
}
