/** The service's version, in its telemetry. */
export const version = "0.0.0";
