export { type BullmqEngineOptions, bullmqEngine } from "./bullmq-engine.ts";
export { type BullmqProcessorOptions, observeBullmqProcessor } from "./observe/observe-processor.ts";
export type { BullmqEnqueueOptions, BullmqJobOptions } from "./store/bullmq-job-options.ts";
