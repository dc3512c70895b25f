export { type BullmqEngineOptions, bullmqEngine } from "./bullmq-engine.ts";
export { observeBullmqProcessor } from "./observe/observe-processor.ts";
