// The bodies of control calls. Data only.
import { PLATFORMS } from '@push-server/contract'
import { FAILURES } from '../behaviour.ts'
import { DISCONNECTS } from '../wire/listener.ts'

const MILLISECONDS = { type: 'number', minimum: 0, maximum: 600_000 } as const
const LATENCY_MS = {
  anyOf: [
    MILLISECONDS,
    {
      type: 'object',
      required: ['min', 'max'],
      additionalProperties: false,
      properties: { min: MILLISECONDS, max: MILLISECONDS },
    },
  ],
} as const
const SECONDS = { type: 'integer', minimum: 0 } as const
const NONE = { type: 'null' } as const

export const RESPONSE = {
  type: 'object',
  required: ['token'],
  additionalProperties: false,
  oneOf: [{ required: ['status'] }, { required: ['failure'] }],
  properties: {
    token: { type: 'string', minLength: 1, maxLength: 4096 },
    status: { type: 'integer', minimum: 200, maximum: 599 },
    reason: { type: 'string', minLength: 1 },
    retryAfter: { anyOf: [SECONDS, { type: 'string', minLength: 1, maxLength: 100, pattern: '^[ -~]+$' }] },
    timestamp: { type: 'integer', minimum: 0 },
    body: { type: 'string', maxLength: 65_536 },
    headers: {
      type: 'object',
      maxProperties: 20,
      propertyNames: { pattern: '^[a-z0-9-]+$' },
      additionalProperties: { type: 'string', pattern: '^[ -~]*$' },
    },
    failure: { enum: FAILURES },
    code: { type: 'integer', minimum: 0, maximum: 13 },
    delayMs: MILLISECONDS,
    times: { type: 'integer', minimum: 1 },
  },
} as const

export const LATENCY = {
  type: 'object',
  required: ['latencyMs'],
  additionalProperties: false,
  properties: { latencyMs: LATENCY_MS },
} as const

const RATE = {
  type: 'object',
  required: ['perSecond'],
  additionalProperties: false,
  properties: {
    perSecond: { type: 'number', exclusiveMinimum: 0 },
    burst: { type: 'number', minimum: 1 },
    status: { enum: [429, 503] },
    retryAfter: { anyOf: [SECONDS, NONE] },
  },
} as const

export const BEHAVIOUR = {
  type: 'object',
  required: ['platform'],
  additionalProperties: false,
  properties: {
    platform: { enum: PLATFORMS },
    latencyMs: { anyOf: [...LATENCY_MS.anyOf, NONE] },
    rate: { anyOf: [RATE, NONE] },
    streams: { anyOf: [{ type: 'integer', minimum: 0, maximum: 100_000 }, NONE] },
    handshakeMs: MILLISECONDS,
    down: { type: 'boolean' },
  },
} as const

export const DISCONNECT = {
  type: 'object',
  required: ['platform'],
  additionalProperties: false,
  properties: { platform: { enum: PLATFORMS }, manner: { enum: DISCONNECTS } },
} as const
