import { messageOf } from "../errors/error-text.ts";

/** Whether every store takes a text: PostgreSQL holds neither null characters nor half surrogate pairs. */
export function isStorable(text: string): boolean {
  return !text.includes("\u0000") && text.isWellFormed();
}

const maxMessageCharacters = 2_000;

/** An error's message as every store takes it: not endless, and well-formed. It never throws. */
export function storableMessage(error: Error): string {
  const message = messageOf(error).slice(0, maxMessageCharacters);
  return message.replaceAll("\u0000", "\ufffd").replace(/\p{Surrogate}/gu, "\ufffd");
}
