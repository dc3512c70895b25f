/** Makes an object that throws at every access. */
export function hostileProxy(): object {
  const traps = new Proxy(
    {},
    {
      get() {
        throw new Error("a trap of the hostile proxy");
      },
    },
  );
  return new Proxy({}, traps);
}
