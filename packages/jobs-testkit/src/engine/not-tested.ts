import { notClaimed, tellNotTested } from "../contract/not-tested.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import type { Kit } from "./kit.ts";

/** Gaps that no test of this contract covers, with any capabilities of the engine. */
const never = [
  "processes that are killed and servers that go away (write tests of your own)",
  "leases, fencing and fetches call by call (run backendContract)",
];

export const notTested: Behaviour<Kit> = (declare) => {
  declare("names what this contract did not test", async (kit) => {
    const { engine } = await kit.open();
    tellNotTested("engineContract", engine.name, [
      ...notClaimed(engine.capabilities),
      ...(kit.createWithRetention === undefined
        ? ["how long ended jobs are retained (no `createWithRetention` was given)"]
        : []),
      ...never,
    ]);
  });
};
