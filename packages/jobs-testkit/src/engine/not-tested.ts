import type { EngineCapabilities } from "@nidus/jobs-durable";
import type { Behaviour } from "../contract/test-plan.ts";
import type { Kit } from "./kit.ts";

/** What no test of this contract does, whatever the engine claims. */
const never = [
  "processes that are killed and servers that go away (write tests of your own)",
  "the calls of the backend, lease by lease (run backendContract)",
];

export const notTested: Behaviour<Kit> = (declare) => {
  declare("names what this contract did not test", async (kit) => {
    const { engine } = await kit.open();
    console.info(lineOf("engineContract", engine.name, [...notClaimed(engine.capabilities), ...never]));
  });
};

/** What an engine does not claim, and therefore is not tested beyond being refused. */
function notClaimed(capabilities: EngineCapabilities): string[] {
  return Object.entries(capabilities)
    .filter(([, isClaimed]) => !isClaimed)
    .map(([name]) => `\`${name}\` (not claimed in \`capabilities\`)`);
}

/** One line for the output of a test runner. */
function lineOf(contract: string, engine: string, what: readonly string[]): string {
  return `${contract} of "${engine}" did not test: ${what.join("; ")}.`;
}
