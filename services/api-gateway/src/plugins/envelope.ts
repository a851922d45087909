// Every response that is not OK has the envelope, and discloses nothing internal.
import { STATUS_CODES } from 'node:http'
import {
  ApiError,
  conflict,
  errorResponse,
  internalError,
  invalidRequest,
  TEXT,
  unavailable,
  type ErrorCode,
} from '@push-server/contract'
import { isStoreUnavailable, isStoreConflict, UnconfirmedWrite } from '@push-server/domain'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { logResponse, RESPONSE_HEADERS, CORRELATION_HEADER } from './requests.ts'
import { shapeRoutingError, type FormConfig } from './response-forms.ts'
import { joinTrace } from './traces.ts'

const RETRY_AFTER_S = 5

export const envelope = fp(
  async (app: FastifyInstance) => {
    app.setErrorHandler<FastifyError>((error, _request, reply) => sendError(reply, error))
  },
  { name: 'envelope' },
)

/** For paths that cannot be routed: neither hooks nor plugins see these requests, so what they do is done here. */
export const routingErrors =
  (config: FormConfig) =>
  (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    joinTrace(request, reply)
    reply.headers(RESPONSE_HEADERS).header(CORRELATION_HEADER, request.id)
    reply.raw.once('finish', () => logResponse(request, reply))
    if (!request.server.server.listening) reply.header('connection', 'close')
    shapeRoutingError(request, reply, config)
    void sendError(reply, error)
  }

/** The response to any error. Internal errors are logged here; whoever refuses a request on purpose logs that itself. */
export function sendError(reply: FastifyReply, error: FastifyError | ApiError) {
  const known = error instanceof ApiError ? error : apiErrorOf(error, reply)
  const isMeant = known === error && known.cause === undefined
  if (known.statusCode >= 500 && !isMeant) reply.log.error({ err: error }, 'request failed')
  if (known.statusCode === 409 && !isMeant) reply.log.warn({ err: error }, 'request conflicted with another')
  return send(reply, known)
}

function send(reply: FastifyReply, error: ApiError) {
  if (error.retryAfter !== undefined) reply.header('retry-after', String(error.retryAfter))
  return reply.code(error.statusCode).type('application/json; charset=utf-8').send(errorResponse(error))
}

/** The response to errors that are not an ApiError: of the framework, of the database, of our code. */
function apiErrorOf(error: FastifyError, { request }: FastifyReply): ApiError {
  // Before all others: it has the codes of a connection that broke, and the connection is the client's.
  if (error === request.raw.errored) return invalidRequest([BROKEN_OFF], error)
  if (error instanceof UnconfirmedWrite) return unavailable(TEXT.unconfirmed, RETRY_AFTER_S, error)
  if (isStoreUnavailable(error)) return unavailable('The database is out of reach', RETRY_AFTER_S, error)
  if (isStoreConflict(error)) return conflict(error)
  switch (error.statusCode) {
    case 413:
      return new ApiError(
        'ERROR_TOO_LARGE',
        `The request body is larger than ${request.routeOptions.bodyLimit} bytes, the limit of this operation`,
        { cause: error },
      )
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
        : invalidRequest([{ fieldName: 'body', hint: BODY_HINTS[error.code] ?? 'cannot be read' }], error)
    case 414:
      return invalidRequest([{ fieldName: 'path', hint: 'must not have a part of more than 100 characters' }], error)
    default:
      return ofStatus(error) ?? internalError(error)
  }
}

/** What the framework finds before our own reader of JSON gets the bytes. */
const BODY_HINTS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'must have as many bytes as Content-Length says',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'must be valid JSON',
}
const BROKEN_OFF = { fieldName: 'body', hint: 'ended before its time' }

const CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'ERROR_UNAUTHORIZED',
  403: 'ERROR_FORBIDDEN',
  404: 'ERROR_NOT_FOUND',
  405: 'ERROR_METHOD_NOT_ALLOWED',
  429: 'ERROR_TOO_MANY_REQUESTS',
}

/** Client errors that the framework or a plugin of it has found; their texts are not disclosed. */
function ofStatus(cause: FastifyError): ApiError | undefined {
  const { statusCode = 500 } = cause
  if (statusCode < 400 || statusCode > 499) return undefined
  return new ApiError(CODES[statusCode] ?? 'ERROR_REQUEST', STATUS_CODES[statusCode] ?? 'Bad Request', {
    statusCode,
    cause,
  })
}
