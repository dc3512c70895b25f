export { isCancellation, neverAbortedSignal } from "./cancellation.ts";
export { propertyOf } from "./foreign.ts";
export { sharedByCopies } from "./shared.ts";
export { requireSyncResult } from "./sync-result.ts";
export {
  formatValue,
  invalidArgument,
  type RefuseAsync,
  requireFunction,
  requireJob,
  requireJobName,
  requireKnownKeys,
  requireObject,
  requireSignal,
  requireText,
  requireWholeNumber,
} from "./validation.ts";
