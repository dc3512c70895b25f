export { type BullmqEngineOptions, bullmqEngine } from "./bullmq-engine.ts";
export { type BullmqProcessorOptions, observeBullmqProcessor } from "./observe/observe-processor.ts";
export { type BullmqQueueLike, observeBullmqQueue } from "./observe/observe-queue.ts";
export type { BullmqEnqueueOptions, BullmqJobOptions } from "./store/bullmq-job-options.ts";
