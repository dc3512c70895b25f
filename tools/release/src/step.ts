/**
 * Does one step, and prints a line of it: what it said, and how long it took.
 *
 * @throws (rejects with) whatever the step throws, after a line that says so.
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
