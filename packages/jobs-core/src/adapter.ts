export { isCancellation, neverAbortedSignal } from "./cancellation.ts";
export { cutText } from "./cut-text.ts";
export { propertyOf } from "./foreign.ts";
export { requireSyncResult } from "./job/sync-result.ts";
export { isErrorLike, thrownErrorOf } from "./job/thrown-error.ts";
export { overdueTurn } from "./queue/event-loop.ts";
export { Fifo } from "./queue/fifo.ts";
export { sharedByCopies } from "./shared.ts";
export {
  formatValue,
  invalidArgument,
  invalidNumber,
  type RefuseAsync,
  requireBoolean,
  requireFunction,
  requireJob,
  requireJobName,
  requireJobRun,
  requireKnownKeys,
  requireObject,
  requireOneOf,
  requireSignal,
  requireText,
  requireWholeNumber,
} from "./validation.ts";
export { warn } from "./warning.ts";
