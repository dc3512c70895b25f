/** Returns a property of any value, or undefined if reading it throws: getters and proxies may be hostile. */
export function propertyOf(value: unknown, key: string | symbol): unknown {
  try {
    return (value as Readonly<Record<string | symbol, unknown>> | null | undefined)?.[key as string];
  } catch {
    return undefined;
  }
}
