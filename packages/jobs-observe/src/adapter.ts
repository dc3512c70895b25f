export { unixTimeMs } from "./clock.ts";
export { monotonicMsOf } from "./context.ts";
