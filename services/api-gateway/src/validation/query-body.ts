// A DELETE may name what it removes in the query instead of a body.
import type { FastifyRequest, preValidationHookHandler } from 'fastify'

/** Makes a request object of these query parameters when there is no body and at least one of them is given. */
export const bodyFromQuery = (...names: readonly string[]): preValidationHookHandler =>
  async function (request: FastifyRequest) {
    const query = request.query as Readonly<Record<string, string | undefined>>
    const given = names.filter((name) => query[name] !== undefined)
    if (request.body !== undefined || given.length === 0) return
    request.body = { requestObject: Object.fromEntries(given.map((name) => [name, query[name]])) }
  }
