// How requests are read: ids, JSON bodies, coercion, validation; and the headers of every response.
import { randomUUID } from 'node:crypto'
import { invalidRequest, type Violation } from '@push-server/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { checkContentHeaders } from '../validation/content-headers.ts'
import { parseJson } from '../validation/json-body.ts'
import { DEFAULT_LIMITS, tooLarge, type JsonLimits } from '../validation/json-limits.ts'
import { undecodable } from '../validation/query-text.ts'
import type { Schema } from '../validation/schema.ts'
import { unsafeText } from '../validation/unsafe-text.ts'
import { createValidator } from '../validation/validator.ts'
import { coerce } from '../validation/coercion.ts'

/** What a request was about, for its line in the log. */
export interface RequestSubject {
  appId: string
  /** Of so many messages, the first. */
  messageId?: string | undefined
  messages?: number
  /** The first of them; workers name them in their lines. */
  chunkIds?: readonly number[]
}

/** Chunks of a batch may be hundreds. */
const MOST_LOGGED = 10

export const subjectOf = (
  appId: string,
  { messageIds, chunkIds }: { messageIds: readonly string[]; chunkIds: readonly number[] },
): RequestSubject => ({
  appId,
  messageId: messageIds[0],
  messages: messageIds.length,
  chunkIds: chunkIds.slice(0, MOST_LOGGED),
})

declare module 'fastify' {
  interface FastifyRequest {
    subject: RequestSubject | null
  }
  interface FastifyContextConfig {
    /** How much JSON a body of the route may hold, where that exceeds the default limits. */
    jsonLimits?: Partial<JsonLimits>
  }
}

export const CORRELATION_HEADER = 'x-correlation-id'
const CORRELATION_ID = /^[a-zA-Z0-9-]{8,1024}$/

/** The client's correlation id when it is a valid one, otherwise a new id. */
export function requestId(headers: Readonly<Record<string, string | string[] | undefined>>): string {
  const given = headers[CORRELATION_HEADER]
  return typeof given === 'string' && CORRELATION_ID.test(given) ? given : randomUUID()
}

/** Of every response. */
export const RESPONSE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
  pragma: 'no-cache',
  expires: '0',
} as const

const BODILESS: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

/** One line for each request. */
export function logResponse(request: FastifyRequest, reply: FastifyReply): void {
  const { method, routeOptions, caller, subject } = request
  const ms = Math.round(reply.elapsedTime)
  request.log.info(
    { method, route: routeOptions.url, status: reply.statusCode, ms, key: caller?.id, ...subject },
    'request completed',
  )
}

export const requests = fp(
  async (app: FastifyInstance) => {
    const validator = createValidator()
    app.setValidatorCompiler<Schema>(({ schema, httpPart = 'body' }) => {
      const check = validator.compile(schema, httpPart)
      return (value: unknown) => refuse(check(value))
    })
    app.decorateRequest('subject', null)
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) =>
      done(null, bodyOf(request, body)),
    )

    app.addHook('onResponse', (request, reply, done) => {
      logResponse(request, reply)
      done()
    })
    app.addHook('onRequest', (request, reply, done) => {
      reply.headers(RESPONSE_HEADERS).header(CORRELATION_HEADER, request.id)
      // Without a client there is no response, and so no line of the hook above.
      reply.raw.once('close', () => {
        if (reply.raw.writableFinished) return
        const { method, routeOptions, caller } = request
        const ms = Math.round(reply.elapsedTime)
        request.log.info({ method, route: routeOptions.url, ms, key: caller?.id }, 'client left before its response')
      })
      done()
    })
    // Before the body is read.
    app.addHook('preParsing', (request, _reply, _payload, done) => {
      if (request.is404) return done()
      const violation = undecodable(request.raw.url ?? '') ?? unsafeText(request.query, 'query')
      if (violation) throw invalidRequest([violation])
      if (!BODILESS.includes(request.method)) checkContentHeaders(request.headers)
      done()
    })
    // After a route's own rules, so that they see the request as it came.
    app.addHook('onRoute', (route) => {
      const own = route.preValidation === undefined ? [] : [route.preValidation].flat()
      const { body, querystring } = (route.schema ?? {}) as { body?: Schema; querystring?: Schema }
      if (!body && !querystring) return
      route.preValidation = [
        ...own,
        (request, _reply, done) => {
          if (body) request.body = coerce(body, request.body)
          if (querystring) request.query = coerce(querystring, request.query)
          done()
        },
      ]
    })
  },
  { name: 'requests' },
)

/** Undefined when there is none: a DELETE may come with a JSON content type and no body. */
function bodyOf({ routeOptions }: FastifyRequest, bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  const limits = { ...DEFAULT_LIMITS, ...routeOptions.config.jsonLimits }
  const parsed = parseJson(bytes, limits, 'body') ?? { violation: { fieldName: 'body', hint: 'must be valid JSON' } }
  if ('exceeded' in parsed) throw tooLarge(parsed.exceeded, limits)
  if ('violation' in parsed) throw invalidRequest([parsed.violation])
  return parsed.value
}

/** What Fastify makes a refusal of. */
const refuse = (violations: readonly Violation[]) =>
  violations.length === 0 ? true : { error: invalidRequest(violations) }
