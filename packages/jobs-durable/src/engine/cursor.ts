import { requireText } from "@nidus/jobs-core/adapter";
import { parsedJson } from "../backend/parsed-json.ts";
import { type StoredJobsQuery, wrongCursor } from "../backend/stored-jobs-query.ts";
import { isStorable } from "../job/storable.ts";

/** The part of a query to which a cursor belongs. */
type Listed = Pick<StoredJobsQuery, "jobName" | "state">;

/** Cursors come back from users, in URLs. */
const maxCursorCharacters = 12_288;
const maxTexts = 10;
const maxTextCharacters = 512;

/** Makes an opaque text of the place at which a page ends. */
export function cursorFrom(position: readonly string[], { jobName, state }: Listed): string {
  return Buffer.from(JSON.stringify([jobName ?? null, state ?? null, position])).toString("base64url");
}

/** Reads a cursor back. @throws TypeError for any that `cursorFrom` has not made for the same jobs. */
export function positionFrom(cursor: string, listed: Listed): readonly string[] {
  requireText("`cursor`", cursor);
  if (cursor.length > maxCursorCharacters) throw wrongCursor();
  const value = parsedJson(Buffer.from(cursor, "base64url").toString());
  if (!Array.isArray(value) || value.length !== 3) throw wrongCursor();
  const position: unknown = value[2];
  if (!isPosition(position) || cursorFrom(position, listed) !== cursor) throw wrongCursor();
  return position;
}

function isPosition(value: unknown): value is readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > maxTexts) return false;
  return value.every(
    (text) => typeof text === "string" && text.length <= maxTextCharacters && isStorable(text),
  );
}
