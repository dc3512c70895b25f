import { tracingChannel } from "node:diagnostics_channel";
import { JobError } from "@nidus/jobs-core";
import { expectTypeOf } from "vitest";
import type { JobObserver, JobResultStatus, ObservedJobContext } from "../../src/index.ts";
import { diagnosticsChannelObserver, type JobRunMessage } from "../../src/observers/diagnostics-channel.ts";

expectTypeOf(diagnosticsChannelObserver).returns.toEqualTypeOf<JobObserver>();

const channel = tracingChannel<unknown, JobRunMessage>("nidus:job.run");
channel.start.subscribe((message) => {
  expectTypeOf((message as JobRunMessage).context).toEqualTypeOf<ObservedJobContext>();
});
declare const message: JobRunMessage;
expectTypeOf(message.finished).toEqualTypeOf<ObservedJobContext | undefined>();
expectTypeOf(message.status).toEqualTypeOf<JobResultStatus | undefined>();

// @ts-expect-error only the observer writes the message
message.error = new JobError("other");
// @ts-expect-error results are not published
message.result;
// @ts-expect-error there is nothing to set
diagnosticsChannelObserver({ name: "other" });
