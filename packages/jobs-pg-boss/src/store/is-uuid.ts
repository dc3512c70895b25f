const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Tells whether a text can be the id of a job. PostgreSQL refuses a statement with any other. */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}
