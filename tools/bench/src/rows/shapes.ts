/** A job of a class of its own. */
export interface ShapedJob {
  readonly name: string;
  run(): number;
}

/** Makes jobs like those of a service: each with a name, a class and fields of its own. */
export const shapes: readonly ShapedJob[] = Array.from({ length: 32 }, (_, index) => {
  const fields = Array.from({ length: index % 8 }, (_, field) => `this.f${field}_${index} = ${field};`).join(
    " ",
  );
  const make = new Function(
    `return new (class Job${index} { constructor() { ${fields} this.name = "job_${index}"; } run() { return ${index}; } })()`,
  );
  return make() as ShapedJob;
});

/** Runs jobs of all classes in turn. */
export function eachShape(operations: number, run: (work: ShapedJob) => unknown): () => void {
  return () => {
    for (let i = 0; i < operations; i++) run(shapes[i % shapes.length] as ShapedJob);
  };
}
