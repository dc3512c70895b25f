import { RedisConnection } from "bullmq";

interface ScriptDefinition {
  readonly lua: string;
  readonly numberOfKeys: number;
}

/** Finds the script of a BullMQ command, such as "addStandardJob:5.81.5", among those that BullMQ defines for a client. */
export function bullmqScript(command: string): ScriptDefinition {
  const [script, version = ""] = command.split(":");
  const found = new Map<string, ScriptDefinition>();
  const client = {
    defineCommand: (name: string, definition: ScriptDefinition) => found.set(name, definition),
  };
  const { loadCommands } = RedisConnection.prototype as unknown as {
    loadCommands(this: { readonly _client: object }, version: string): void;
  };
  loadCommands.call({ _client: client }, version);
  const definition = found.get(command);
  if (definition === undefined) throw new Error(`BullMQ ${version} has no script ${script}`);
  return definition;
}
