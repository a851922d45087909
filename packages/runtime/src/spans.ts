// The trace that a request belongs to, as its caller names it: W3C Trace Context, else B3. Pure, but for the ids that it makes.
import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** What is done here for a caller's span. */
export interface Span {
  /** 32 hexadecimal digits, the caller's. */
  traceId: string
  /** 16 hexadecimal digits, ours. */
  spanId: string
  /** The header of calls that belong to it, https://www.w3.org/TR/trace-context/#traceparent-header. */
  traceparent: string
}

interface Context {
  traceId: string
  isSampled: boolean
}

/** Undefined without a header that is valid: none is made then. */
export function spanOf(headers: IncomingHttpHeaders): Span | undefined {
  const { traceparent, b3 } = headers
  if (traceparent === undefined && b3 === undefined && headers['x-b3-traceid'] === undefined) return undefined
  const context = ofTraceparent(traceparent) ?? ofB3(b3) ?? ofB3Headers(headers)
  if (!context) return undefined
  const { traceId, isSampled } = context
  const spanId = newSpanId()
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}` }
}

/** Of a `traceparent` of ours. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35)

/** Zeros alone are no id. */
function newSpanId(): string {
  const id = randomBytes(8).toString('hex')
  return isZero(id) ? newSpanId() : id
}

const isZero = (id: string) => /^0+$/.test(id)

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s
const SAMPLED = 1

/** A later version may have more members, behind a hyphen; version 00 may not, and there is no version ff. */
function ofTraceparent(value: IncomingHttpHeaders[string]): Context | undefined {
  const [, version, traceId = '', parentId = '', flags = '', more] = TRACEPARENT.exec([value].join()) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (isZero(traceId) || isZero(parentId)) return undefined
  return { traceId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED }
}

const B3 = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d])(?:-[0-9a-f]{16})?)?$/

/** One header, https://github.com/openzipkin/b3-propagation#single-header; one that only says whether to sample names no trace. */
function ofB3(value: IncomingHttpHeaders[string]): Context | undefined {
  const [, traceId = '', spanId = '', sampling = ''] = B3.exec([value].join()) ?? []
  return ofB3Ids(traceId, spanId, sampling === '1' || sampling === 'd')
}

const B3_TRACE_ID = /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/
const B3_SPAN_ID = /^[0-9a-f]{16}$/

function ofB3Headers(headers: IncomingHttpHeaders): Context | undefined {
  const [traceId, spanId, sampled, flags] = ['traceid', 'spanid', 'sampled', 'flags'].map((name) =>
    [headers[`x-b3-${name}`]].join(),
  )
  if (!B3_TRACE_ID.test(traceId ?? '') || !B3_SPAN_ID.test(spanId ?? '')) return undefined
  // Older senders write truth values.
  return ofB3Ids(traceId ?? '', spanId ?? '', sampled === '1' || sampled === 'true' || flags === '1')
}

/** An id of 64 bits is one of 128 whose first half is zero. */
const ofB3Ids = (traceId: string, spanId: string, isSampled: boolean): Context | undefined =>
  traceId === '' || isZero(traceId) || isZero(spanId) ? undefined : { traceId: traceId.padStart(32, '0'), isSampled }
