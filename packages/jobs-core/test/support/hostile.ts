/** Makes a value that throws at every access. */
export function hostileProxy(target: object = {}): object {
  const refuse = (): never => {
    throw new Error("hands off");
  };
  return new Proxy(target, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse });
}

export function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
