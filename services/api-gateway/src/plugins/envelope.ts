// Every answer that is not OK leaves in the envelope, and nothing of our inside leaves with it.
import { ApiError, conflict, internalFault, invalidRequest, TEXT, unavailable } from '@push-server/contract'
import { isStoreAway, isStoreConflict, UnconfirmedWrite } from '@push-server/domain'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { errorAnswer } from './error-answer.ts'

const RETRY_AFTER_S = 5

export const envelope = fp(
  async (app: FastifyInstance) => {
    app.setErrorHandler<FastifyError>((error, _request, reply) => answerFault(reply, error))
    const paths: Path[] = []
    app.addHook('onRoute', ({ method, url }) => void paths.push({ methods: [method].flat(), pattern: patternOf(url) }))
    app.setNotFoundHandler((request, reply) => {
      const allowed = otherMethods(paths, request)
      if (allowed.length === 0) return send(reply, new ApiError('ERROR_NOT_FOUND', 'There is nothing at this path'))
      if (request.method === 'OPTIONS') return reply.header('allow', [...allowed, 'OPTIONS'].join(', ')).send()
      reply.header('allow', allowed.join(', '))
      return send(reply, new ApiError('ERROR_METHOD_NOT_ALLOWED', `This path takes ${allowed.join(', ')}`))
    })
  },
  { name: 'envelope' },
)

/** Whatever went wrong, as an answer. What is our own fault is logged; a refusal that was meant is told once, by who decided it. */
export function answerFault(reply: FastifyReply, error: FastifyError | ApiError) {
  const known = error instanceof ApiError ? error : apiErrorOf(error)
  const isMeant = known === error && known.cause === undefined
  if (known.statusCode >= 500 && !isMeant) reply.log.error({ err: error }, 'request failed')
  if (known.statusCode === 409) reply.log.warn({ err: error }, 'request conflicted with another')
  return send(reply, known)
}

function send(reply: FastifyReply, error: ApiError) {
  if (error.retryAfter !== undefined) reply.header('retry-after', String(error.retryAfter))
  return reply.code(error.statusCode).type('application/json').send(errorAnswer(error))
}

/** Faults that were not meant as answers: of the framework, of the database, of ours. */
function apiErrorOf(error: FastifyError): ApiError {
  if (error instanceof UnconfirmedWrite) return unavailable(TEXT.unconfirmed, RETRY_AFTER_S, error)
  if (isStoreAway(error)) return unavailable('The database is out of reach', RETRY_AFTER_S, error)
  if (isStoreConflict(error)) return conflict(error)
  switch (error.statusCode) {
    case 413:
      return new ApiError('ERROR_TOO_LARGE', 'The request body is larger than the configured limit', { cause: error })
    case 415:
      return new ApiError(
        'ERROR_REQUEST',
        'The content type must be application/json, or application/x-ndjson for an import',
        {
          statusCode: 415,
          cause: error,
        },
      )
    case 400:
      return error.code === 'FST_ERR_BAD_URL'
        ? invalidRequest([{ fieldName: 'path', hint: 'must be properly percent-encoded' }], error)
        : invalidRequest([{ fieldName: 'body', hint: 'must be valid JSON' }], error)
    default:
      return internalFault(error)
  }
}

interface Path {
  methods: string[]
  pattern: RegExp
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE']

/** Of a route's path: `:name` stands for anything but a slash, `:name(…)` for what the expression says. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(:\w+(?:\([^)]*\))?|\*)/)
  const source = parts.map((part, index) => {
    if (index % 2 === 0) return part.replaceAll('.', String.raw`\.`)
    const [, expression = part === '*' ? '.*' : '[^/]+'] = /\((.*)\)$/.exec(part) ?? []
    return `(?:${expression.replace(/^\^|\$$/g, '')})`
  })
  return new RegExp(`^${source.join('')}$`)
}

/** Methods that the path takes, this one apart. */
function otherMethods(paths: readonly Path[], request: FastifyRequest): string[] {
  const [url = '/'] = request.url.split('?')
  const taken = new Set(paths.filter(({ pattern }) => pattern.test(url)).flatMap(({ methods }) => methods))
  return METHODS.filter((method) => method !== request.method && taken.has(method))
}
