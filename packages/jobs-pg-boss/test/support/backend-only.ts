import type { JobBackend, StartableEngine } from "@nidus/jobs-durable/backend";

/** Takes the place of `@nidus/jobs-durable/backend`: what makes an engine of a backend keeps the backend as it is. */
export async function backendOnly(load: () => Promise<object>): Promise<object> {
  const createEngine = (backend: JobBackend): object => {
    const engine = { backend, start: async () => engine };
    return engine;
  };
  return { ...(await load()), createEngine };
}

/** Reads the backend of what is no engine, since its module was replaced. */
export async function backendOf(opened: Promise<object>): Promise<JobBackend> {
  return ((await opened) as StartableEngine & { readonly backend: JobBackend }).backend;
}
