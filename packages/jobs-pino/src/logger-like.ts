/** What is needed of a pino logger: a root or a child, of pino 9 or 10. Levels of other names are called by these. */
export interface LoggerLike {
  /** The levels that there are, by name. */
  readonly levels: { readonly values: Readonly<Record<string, number>> };
  /** Whether lines of this level are written. */
  isLevelEnabled(level: string): boolean;
  /** Writes a line of level debug. */
  debug(fields: object, message: string): void;
  /** Writes a line of level info. */
  info(fields: object, message: string): void;
  /** Writes a line of level warn. */
  warn(fields: object, message: string): void;
  /** Writes a line of level error. */
  error(fields: object, message: string): void;
}
