/** An object of which nothing can be read, asked or listed without an exception. */
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
