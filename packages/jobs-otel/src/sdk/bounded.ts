/**
 * Resolves when `work` has settled, successfully or not, and at the latest after `timeoutMs`. The timer keeps the
 * process alive, so that the process does not exit before the caller continues.
 */
export async function bounded(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  const settled = work.then(
    () => {},
    () => {},
  );
  await Promise.race([settled, deadline]);
  clearTimeout(timer);
}
