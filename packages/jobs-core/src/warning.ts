/** Emits a process warning. Node prints it on stderr; applications can silence it or listen to it. Never blocks. */
export function warn(message: string): void {
  process.emitWarning(message, "NidusWarning");
}
