import { expectTypeOf } from "vitest";
import type { JobDelivery, SettledJobContext } from "../../src/index.ts";

declare const delivery: JobDelivery;
if (delivery.nextCarrier) delivery.nextCarrier.traceparent = "00-1-2-01";
// Engines that store no headers leave it out.
expectTypeOf(delivery.nextCarrier).toEqualTypeOf<Record<string, string> | undefined>();
expectTypeOf(delivery.previousCarrier).toEqualTypeOf<Readonly<Record<string, string>> | undefined>();

// @ts-expect-error the engine keeps this object, and stores its headers
delivery.nextCarrier = {};
// @ts-expect-error the headers of the enqueue are stored
delivery.carrier.traceparent = "00-1-2-01";
// @ts-expect-error the run before has ended
if (delivery.previousCarrier) delivery.previousCarrier.traceparent = "00-1-2-01";

declare const settled: SettledJobContext;
expectTypeOf(settled.delivery).toEqualTypeOf<JobDelivery>();
// @ts-expect-error the store has recorded the outcome: headers come too late here
settled.carrier;
