/** BullMQ's codes for a job that is gone (-1), has no lock (-2), is not active (-3) or has another's lock (-6). */
export function isLeaseLost(error: unknown): boolean {
  return [-1, -2, -3, -6].includes(codeOf(error));
}

/** BullMQ's codes for a parent that has children to wait for (-4), or failed ones (-9). */
export function hasOpenChildren(error: unknown): boolean {
  return [-4, -9].includes(codeOf(error));
}

function codeOf(error: unknown): number {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "number" ? code : 0;
}

/** Whether a script fails at what is stored, such as a key of another type: it would fail again. */
export function isRefusedScript(error: unknown): boolean {
  const text = String((error as { readonly message?: unknown }).message);
  return /^WRONGTYPE|user_script/.test(text) && !/\b(OOM|READONLY|NOPERM|MISCONF|NOREPLICAS)\b/.test(text);
}
