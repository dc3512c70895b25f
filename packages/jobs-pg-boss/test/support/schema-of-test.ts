/** How many schemas the tests of a contract share. More would cost more to make than they save. */
const schemas = 4;

/**
 * Returns a function that gives each test of a contract one of a few schemas. In a single one, pg-boss 10 would keep a table for each of
 * more than 150 job names, and PostgreSQL plans some statements over all of them. The engines of a test have the same `onError`.
 */
export function schemaOfTest(prefix: string): (options: { readonly onError: unknown }) => string {
  const assigned = new Map<unknown, string>();
  return ({ onError }) => {
    const schema = assigned.get(onError) ?? `${prefix}_${assigned.size % schemas}`;
    assigned.set(onError, schema);
    return schema;
  };
}
