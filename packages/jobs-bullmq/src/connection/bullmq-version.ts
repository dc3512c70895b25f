const needed =
  "the engine needs bullmq >=5.81.5 <6 or >=6.0.11 <7, since a closing worker of an older version takes back a job that it has handed on";

/**
 * Checks that the installed BullMQ is one that the engine works with. The wrapper for processors works with every BullMQ from 5.0 on.
 *
 * @throws Error that says which version is needed, and why.
 */
export function requireVersion(version: string | undefined): void {
  const [major = 0, minor = 0, patch = 0] = (version ?? "")
    .split(".")
    .map((part) => Number.parseInt(part, 10));
  const isKnown =
    (major === 5 && isAtLeast(minor, patch, 81, 5)) || (major === 6 && isAtLeast(minor, patch, 0, 11));
  if (!isKnown)
    throw new Error(`${needed}: installed is ${version ?? "an old version that does not say its number"}`);
}

function isAtLeast(minor: number, patch: number, leastMinor: number, leastPatch: number): boolean {
  return minor > leastMinor || (minor === leastMinor && patch >= leastPatch);
}
