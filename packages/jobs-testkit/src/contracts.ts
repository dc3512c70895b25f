// For authors of engines and observers: the tests that every adapter passes.

export { type BackendContractOptions, backendContract } from "./backend/backend-contract.ts";
export type {
  BackendUnderTestOptions,
  BackendWithOutage,
  BackendWithRetentionOptions,
  CreateBackend,
} from "./backend/backend-kit.ts";
export type { DeclareTest } from "./contract/declare-test.ts";
export { type EngineContractOptions, engineContract } from "./engine/engine-contract.ts";
export type {
  CreateEngine,
  CreateWithRetention,
  EngineUnderTestOptions,
  EngineWithRetentionOptions,
} from "./engine/kit.ts";
export { type ObserverContractOptions, observerContract } from "./observer/observer-contract.ts";
export type { CreateObserver, ObserverUnderTest } from "./observer/subject.ts";
