// What becomes of members of a request that nobody reads. `Prefer: handling=strict` (RFC 7240) refuses them; otherwise they are
// ignored, as existing clients rely on, and named in a header and the log.
import { invalidRequest, type Violation } from '@push-server/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Schema } from '../validation/schema.ts'
import { strayMembers } from '../validation/stray-members.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `handler`: the handler reports them, with those that are ignored, once its own refusals are over. `foreign`: others may add some. */
    strays?: 'handler' | 'foreign'
  }
  interface FastifyRequest {
    /** Members that are ignored; null while there are none. */
    ignoredMembers: readonly Violation[] | null
  }
}

const WARNINGS_HEADER = 'x-push-warnings'
const LONGEST_HEADER = 1_024
const LONGEST_NAME = 200
const HANDLING = /(?:^|[,;])\s*handling\s*=\s*"?(strict|lenient)"?\s*(?=$|[,;])/i

/** The first preference for the handling counts, RFC 7240 section 2. */
export const handlingOf = (prefer: string | string[] | undefined) =>
  HANDLING.exec([prefer ?? ''].flat().join(','))?.[1]?.toLowerCase()

const isStrict = ({ headers }: FastifyRequest) => handlingOf(headers['prefer']) === 'strict'

/** Names in a header: whatever is no letter, digit or sign of a path is percent-encoded. What does not fit is counted: `+3`. */
export function warningsOf(names: readonly string[]): string {
  const escaped = names.map((name) =>
    encodeURIComponent(name.slice(0, LONGEST_NAME).toWellFormed())
      .replaceAll('%5B', '[')
      .replaceAll('%5D', ']')
      .slice(0, LONGEST_NAME),
  )
  let header = ''
  for (const [index, name] of escaped.entries()) {
    const longer = header === '' ? name : `${header}, ${name}`
    const rest = `, +${escaped.length - index}`
    if (longer.length + rest.length > LONGEST_HEADER) return header + rest
    header = longer
  }
  return header
}

export const preferences = fp(
  async (app: FastifyInstance) => {
    app.decorateRequest('ignoredMembers', null)
    app.addHook('onRoute', (route) => {
      const { body } = (route.schema ?? {}) as { body?: Schema }
      if (!body || route.config?.strays === 'foreign') return
      const own = route.preHandler === undefined ? [] : [route.preHandler].flat()
      route.onRequest = [
        (request, reply, done) => {
          if (isStrict(request)) reply.header('preference-applied', 'handling=strict')
          done()
        },
        ...(route.onRequest === undefined ? [] : [route.onRequest].flat()),
      ]
      route.preHandler = [
        (request, _reply, done) => {
          const strays = strayMembers(body, request.body)
          if (strays.length > 0) {
            request.ignoredMembers = strays
            if (request.routeOptions.config.strays !== 'handler') reportIgnored(request, [])
          }
          done()
        },
        ...own,
      ]
      route.onSend = [warn, ...(route.onSend === undefined ? [] : [route.onSend].flat())]
    })
  },
  { name: 'preferences' },
)

const warn: onSendHookHandler = (request, reply, _payload, done) => {
  if (request.ignoredMembers && reply.statusCode === 200) nameIgnored(request, reply, request.ignoredMembers)
  done()
}

function nameIgnored(request: FastifyRequest, reply: FastifyReply, ignoredMembers: readonly Violation[]): void {
  const { routeOptions, caller } = request
  const names = ignoredMembers.map(({ fieldName }) => fieldName)
  reply.header(WARNINGS_HEADER, warningsOf(names))
  request.log.info({ route: routeOptions.url, key: caller?.id, members: names }, 'members ignored')
}

/** Refuses the request for these members and its strays where it is to be handled strictly; keeps them for the response otherwise. */
export function reportIgnored(request: FastifyRequest, ignored: readonly Violation[]): void {
  const all = [...(request.ignoredMembers ?? []), ...ignored]
  if (all.length === 0) return
  if (isStrict(request)) throw invalidRequest(all)
  request.ignoredMembers = all
}
