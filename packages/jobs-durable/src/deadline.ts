import { EngineUnavailableError } from "./errors.ts";

/**
 * Resolves as `work` does, or rejects when it takes too long: a client whose server is away may wait for ever.
 *
 * @throws (rejects with) EngineUnavailableError
 */
export async function withDeadline<T>(work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new EngineUnavailableError(`${what} did not answer within ${deadlineMs} ms`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
