export {
  type ContractEngineOptions,
  type ContractTest,
  type EngineContractOptions,
  engineContract,
} from "./engine-contract/engine-contract.ts";
