/** What is needed of a pino logger: a root or a child, of pino 9 or 10. Levels of other names are called by these. */
export interface LoggerLike {
  isLevelEnabled(level: string): boolean;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
