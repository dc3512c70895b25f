export { type EngineContractOptions, engineContract } from "./engine/engine-contract.ts";
export type { CreateEngine, DeclareTest, EngineUnderTestOptions } from "./engine/kit.ts";
