/** The service's version, for its telemetry. */
export const version = "0.0.0";
