import type { AnyDurableJob, JobEngine } from "@nidus/jobs-durable";

/** The same object, except for these members. Unlike a prototype, it keeps private fields working. */
export function overriding<T extends object>(original: T, members: Partial<T>): T {
  return new Proxy(original, {
    get(target, key) {
      if (Object.hasOwn(members, key)) return members[key as keyof T];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set(target, key, value) {
      if (!Object.hasOwn(members, key)) return Reflect.set(target, key, value, target);
      // A member without a setter stays as it is.
      Object.getOwnPropertyDescriptor(members, key)?.set?.call(members, value);
      return true;
    },
  });
}

/** The same engine, except that it runs each handler in this way. */
export function performing(
  engine: JobEngine,
  perform: (job: AnyDurableJob) => AnyDurableJob["perform"],
): JobEngine {
  return overriding(engine, {
    work: ({ jobs, ...options }) =>
      engine.work({ ...options, jobs: jobs.map((job) => ({ ...job, perform: perform(job) })) }),
  });
}
