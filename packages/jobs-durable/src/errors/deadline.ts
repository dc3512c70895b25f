import { nextTick } from "node:process";
import { EngineUnavailableError } from "./errors.ts";

/**
 * Resolves as `work` does, or rejects when `work` takes too long: a client may wait for an unreachable server for ever.
 *
 * @param server The server that should answer, as in "Redis at localhost:6379".
 * @param operation The operation that waits, as in "renewing leases". Pass it if the caller of `work` does not know it.
 * @throws (rejects with) EngineUnavailableError
 */
export function withDeadline<T>(
  work: Promise<T>,
  deadlineMs: number,
  server: string,
  operation?: string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = (): void => {
      const prefix = operation === undefined ? "" : `${operation}: `;
      const reason = `${prefix}no answer within ${Math.round(deadlineMs)} ms`;
      reject(new EngineUnavailableError(`${server} is unreachable (${reason})`));
    };
    // Work that sends its command in this tick sends it first, and work that is over by then needs no timer.
    nextTick(() => {
      if (!isOver) timer = setTimeout(tooLate, deadlineMs);
    });
    work.then(
      (value) => {
        isOver = true;
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        isOver = true;
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
