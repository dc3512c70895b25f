import { notClaimed, tellNotTested } from "../contract/not-tested.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import type { BackendKit } from "./backend-kit.ts";

/** Properties that no test of this contract checks, whatever the backend claims. */
const never = ["the moments at which schedules are due (run engineContract)"];

export const notTested: Behaviour<BackendKit> = (declare) => {
  declare("names what this contract did not test", async (kit) => {
    const { name, capabilities } = await kit.open();
    const { createOutage, createWithRetention, secrets } = kit.fixtures;
    tellNotTested("backendContract", name, [
      ...notClaimed(capabilities),
      ...(capabilities.persistence ? [] : ["leases (without `persistence`, workers end with their store)"]),
      ...(createOutage === undefined ? ["a server that is away (no `createOutage` was given)"] : []),
      ...(createWithRetention === undefined
        ? ["how long ended jobs are retained (no `createWithRetention` was given)"]
        : []),
      ...(secrets.length === 0
        ? ["secrets in `address` beyond what looks like one (no `secrets` were given)"]
        : []),
      ...never,
    ]);
  });
};
