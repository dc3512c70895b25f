/** The same object, except for these members. Unlike a prototype, it keeps private fields working. */
export function overriding<T extends object>(original: T, members: Partial<T>): T {
  return new Proxy(original, {
    get(target, key) {
      if (Object.hasOwn(members, key)) return members[key as keyof T];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
