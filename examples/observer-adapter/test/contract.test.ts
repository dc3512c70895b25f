import { createSocket } from "node:dgram";
import { once } from "node:events";
import { after, test } from "node:test";
import { observerContract } from "@nidus/jobs-testkit/contracts";
import { statsd } from "../src/index.ts";

// This agent keeps nothing, because some tests measure the memory of this process.
const agent = createSocket("udp4").bind(0, "127.0.0.1");
await once(agent, "listening");
after(() => agent.close());

observerContract({
  test,
  createObserver() {
    const adapter = statsd({ port: agent.address().port });
    return {
      observer: adapter.jobObserver({ serviceName: "users-api" }),
      forceFlush: () => adapter.forceFlush?.(),
      shutdown: () => adapter.shutdown?.(),
    };
  },
  // Two lines of text a run: about 1 µs on a quiet machine. A busy one may take its time.
  budget: { nanosecondsPerRun: 20_000 },
});
