export { type JournalEngineOptions, journalEngine } from "./journal-engine.ts";
