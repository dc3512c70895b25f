import { formatValue, warn } from "@nidus/jobs-core/adapter";

const warned = new WeakSet<object>();

/** Emits a process warning with an error, at most once for each object that failed: an observer, or a function. */
export function warnOnce(error: unknown, failed: object, message = "an observer failed"): void {
  if (!warned.has(failed)) warn(`${message}: ${formatValue(error)}`);
  warned.add(failed);
}
