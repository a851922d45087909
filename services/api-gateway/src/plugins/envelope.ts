// Every answer that is not OK leaves in the envelope, and nothing of our inside leaves with it.
import { ApiError, internalFault, invalidRequest, unavailable, type ErrorAnswer } from '@push-server/contract'
import { isStoreAway } from '@push-server/domain'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import fp from 'fastify-plugin'
import { violationsOf } from './violations.ts'

const RETRY_AFTER_S = 5

export const envelope = fp(
  async (app: FastifyInstance) => {
    app.setErrorHandler<FastifyError>((error, _request, reply) => answerFault(reply, error))
    app.setNotFoundHandler((request, reply) => {
      const allowed = otherMethods(app, request)
      if (allowed.length === 0) return send(reply, new ApiError('ERROR_NOT_FOUND', 'There is nothing at this path'))
      reply.header('allow', allowed.join(', '))
      return send(reply, new ApiError('ERROR_METHOD_NOT_ALLOWED', `This path takes ${allowed.join(', ')}`))
    })
  },
  { name: 'envelope' },
)

/** Whatever went wrong, as an answer; what is our own fault is logged. */
export function answerFault(reply: FastifyReply, error: FastifyError | ApiError) {
  const known = error instanceof ApiError ? error : apiErrorOf(error)
  if (known.statusCode >= 500) reply.log.error({ err: error }, 'request failed')
  return send(reply, known)
}

function send(reply: FastifyReply, error: ApiError) {
  if (error.retryAfter !== undefined) reply.header('retry-after', String(error.retryAfter))
  const answer: ErrorAnswer = {
    status: 'ERROR',
    responseObject: {
      code: error.code,
      message: error.message,
      ...(error.violations && { violations: [...error.violations] }),
    },
  }
  return reply.code(error.statusCode).type('application/json').send(answer)
}

/** Faults that were not meant as answers: of the framework, of the database, of ours. */
function apiErrorOf(error: FastifyError): ApiError {
  if (error.validation) return invalidRequest(violationsOf(error.validation, error.validationContext ?? 'body'), error)
  if (isStoreAway(error)) return unavailable('The database is out of reach', RETRY_AFTER_S, error)
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

const METHODS: HTTPMethods[] = ['GET', 'POST', 'PUT', 'DELETE']

function otherMethods(app: FastifyInstance, request: FastifyRequest): HTTPMethods[] {
  const [url = '/'] = request.url.split('?')
  return METHODS.filter((method) => method !== request.method && app.hasRoute({ method, url }))
}
