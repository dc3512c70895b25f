/** A mistake of whoever started the program: one line tells them, without a stack. */
export class UserError extends Error {
  override readonly name = "UserError";
}
