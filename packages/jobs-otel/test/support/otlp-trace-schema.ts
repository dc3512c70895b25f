import protobuf from "protobufjs";

/** The part of opentelemetry/proto/collector/trace/v1 that these tests read, with its field numbers. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Scope { string name = 1; string version = 2; }
  message Span {
    bytes trace_id = 1;
    bytes span_id = 2;
    bytes parent_span_id = 4;
    string name = 5;
    int32 kind = 6;
    fixed64 start_time_unix_nano = 7;
    fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9;
    repeated Event events = 11;
    Status status = 15;
  }
  message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue {
    oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; }
  }
`);

const request = root.lookupType("ExportTraceServiceRequest");

export type OtlpAttributes = Record<string, unknown>;

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a span without a parent. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly durationNanos: bigint;
  readonly attributes: OtlpAttributes;
  readonly events: readonly { readonly name: string; readonly attributes: OtlpAttributes }[];
  readonly status: { readonly code: number; readonly message: string };
  readonly resource: OtlpAttributes;
  readonly scope: { readonly name: string; readonly version: string };
}

interface Decoded {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: { scope: { name: string; version: string }; spans: DecodedSpan[] }[];
  }[];
}

interface DecodedSpan {
  traceId: Buffer;
  spanId: Buffer;
  parentSpanId: Buffer;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: KeyValue[];
  events: { name: string; attributes: KeyValue[] }[];
  status: { code: number; message: string } | null;
}

interface KeyValue {
  key: string;
  value: Record<string, unknown>;
}

/** @throws Error if the bytes are no such message. */
export function decodeTraceRequest(bytes: Uint8Array): OtlpSpan[] {
  const decoded = request.toObject(request.decode(bytes), {
    longs: String,
    arrays: true,
    defaults: true,
  }) as Decoded;
  return decoded.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        traceId: Buffer.from(span.traceId).toString("hex"),
        spanId: Buffer.from(span.spanId).toString("hex"),
        parentSpanId: Buffer.from(span.parentSpanId).toString("hex"),
        name: span.name,
        kind: span.kind,
        durationNanos: BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano),
        attributes: attributesOf(span.attributes),
        events: span.events.map(({ name, attributes }) => ({ name, attributes: attributesOf(attributes) })),
        status: span.status ?? { code: 0, message: "" },
        resource: attributesOf(resource.attributes),
        scope,
      })),
    ),
  );
}

function attributesOf(pairs: readonly KeyValue[]): OtlpAttributes {
  return Object.fromEntries(
    pairs.map(({ key, value }) => {
      const [[type, content] = []] = Object.entries(value);
      return [key, type === "intValue" ? Number(content) : content];
    }),
  );
}
