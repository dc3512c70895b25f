/**
 * The members of a pino logger that Nidus uses, of pino 9 or 10, root or child. A level with another name has a method
 * of that name.
 */
export interface LoggerLike {
  /** The levels of the logger, by name. */
  readonly levels: { readonly values: Readonly<Record<string, number>> };
  /** Tells whether lines of this level are written. */
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
