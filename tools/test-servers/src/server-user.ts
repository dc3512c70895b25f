import { execFileSync } from "node:child_process";

/** The user that a server runs as. Empty for the user of this process. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** Finds a user for servers that refuse to run as root: that of Debian's PostgreSQL, or the one without rights. */
export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  return idsOf("postgres") ?? idsOf("nobody") ?? {};
}

function idsOf(user: string): ServerUser | undefined {
  try {
    const id = (flag: string): number =>
      Number(execFileSync("id", [flag, user], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return undefined;
  }
}
