import { warn } from "@nidus/jobs-core/adapter";

/** Warns, by process warnings, of a Redis that may lose acknowledged jobs. `info` is the answer to INFO. */
export function warnOfLosses(info: string, address: string): void {
  // A managed Redis may not say how it keeps its data.
  if (/^aof_enabled:0/m.test(info)) {
    warn(
      `Redis at ${address} keeps no append-only file (appendonly): jobs since its last snapshot are lost if it dies`,
    );
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy !== undefined && policy !== "noeviction") {
    warn(
      `Redis at ${address} evicts keys when its memory is full (maxmemory-policy ${policy}): jobs would be lost`,
    );
  }
}
