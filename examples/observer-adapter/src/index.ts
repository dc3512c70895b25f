export { type StatsdOptions, statsd } from "./statsd.ts";
