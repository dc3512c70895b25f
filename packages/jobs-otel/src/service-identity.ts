/** Identifies a service in the resource attributes of its telemetry. */
export interface ServiceIdentity {
  /** `service.name` */
  readonly serviceName: string;
  /** `service.version` */
  readonly serviceVersion?: string | undefined;
  /** `deployment.environment.name` */
  readonly environment?: string | undefined;
}
