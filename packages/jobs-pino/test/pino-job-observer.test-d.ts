import type { JobObserver } from "@nidus/jobs-observe";
import { trace } from "@opentelemetry/api";
import { pino } from "pino";
import { pino as pino9 } from "pino-9";
import { expectTypeOf } from "vitest";
import { jobLogMixin, type LoggerLike, type PinoJobObserverOptions, pinoJobObserver } from "../src/index.ts";

expectTypeOf(pinoJobObserver).returns.toEqualTypeOf<JobObserver>();

// Loggers of both majors fit, and so do their children, and loggers with levels of their own.
expectTypeOf(pino()).toExtend<LoggerLike>();
expectTypeOf(pino().child({ component: "jobs" })).toExtend<LoggerLike>();
expectTypeOf(pino9()).toExtend<LoggerLike>();
expectTypeOf(pino9().child({ component: "jobs" })).toExtend<LoggerLike>();
pinoJobObserver({ logger: pino({ customLevels: { notice: 35 } }), finishLevel: "notice" });

// Options may be left out, and undefined: users compile with exactOptionalPropertyTypes.
pinoJobObserver({
  logger: pino(),
  startLevel: undefined,
  finishLevel: undefined,
  warningLevel: undefined,
  failureLevel: undefined,
  recordErrorMessage: undefined,
});
expectTypeOf<PinoJobObserverOptions["recordErrorMessage"]>().toEqualTypeOf<boolean | undefined>();

// The mixin fits pino's option, and OpenTelemetry's span context fits the mixin.
pino({ mixin: jobLogMixin() });
pino9({ mixin: jobLogMixin({ spanContext: undefined }) });
pino({ mixin: jobLogMixin({ spanContext: () => trace.getActiveSpan()?.spanContext() }) });

// @ts-expect-error there is no logger by default
pinoJobObserver();
// @ts-expect-error a console cannot say which levels are enabled
pinoJobObserver({ logger: console });
// @ts-expect-error a level is a name
pinoJobObserver({ logger: pino(), startLevel: 20 });
// @ts-expect-error both ids are needed
jobLogMixin({ spanContext: () => ({ traceId: "1" }) });
