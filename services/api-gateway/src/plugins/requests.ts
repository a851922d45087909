// How requests come in: ids, JSON bodies, lenient forms; and the headers that every answer carries.
import { randomUUID } from 'node:crypto'
import { invalidRequest } from '@push-server/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { TSchema } from 'typebox'
import { illFormed } from './ill-formed.ts'
import { lenient } from './leniency.ts'

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

/** One line for each request. */
export function logResponse(request: FastifyRequest, reply: FastifyReply): void {
  const { method, routeOptions, caller } = request
  const ms = Math.round(reply.elapsedTime)
  request.log.info({ method, route: routeOptions.url, status: reply.statusCode, ms, key: caller?.id }, 'answered')
}

export const requests = fp(
  async (app: FastifyInstance) => {
    const parseJson = app.getDefaultJsonParser('error', 'error')
    app.removeAllContentTypeParsers()
    // A DELETE may come with a JSON content type and no body.
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
      if (body === '') done(null, undefined)
      else void parseJson(request, body as string, done)
    })

    app.addHook('onRequest', async (request, reply) => {
      reply.headers(RESPONSE_HEADERS).header(CORRELATION_HEADER, request.id)
    })
    app.addHook('onResponse', async (request, reply) => logResponse(request, reply))
    app.addHook('preValidation', async (request) => {
      const violation = illFormed(request.body, '') ?? illFormed(request.query, '')
      if (violation) throw invalidRequest([violation])
    })
    // After a route's own rules, so that they see the request as it came.
    app.addHook('onRoute', (route) => {
      const own = route.preValidation === undefined ? [] : [route.preValidation].flat()
      const { body, querystring } = (route.schema ?? {}) as { body?: TSchema; querystring?: TSchema }
      if (!body && !querystring) return
      route.preValidation = [
        ...own,
        async (request) => {
          if (body) request.body = lenient(body, request.body)
          if (querystring) request.query = lenient(querystring, request.query)
        },
      ]
    })
  },
  { name: 'requests' },
)
