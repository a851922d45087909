// The form of a response: set once for a request, by its header or its base, and applied in one place, to successes and errors alike.
// Handlers return everything.
import {
  FORM_HEADER,
  invalidRequest,
  isForm,
  FORMS,
  shapedAs,
  VALIDATED_OPERATIONS,
  VERSION_ERROR,
  VERSION_RESPONSES,
  type ErrorResponse,
  type Form,
  type VersionForm,
} from '@push-server/contract'
import type { Config } from '@push-server/runtime'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { baseOf } from '../bases.ts'
import { handlingOf } from './preferences.ts'

declare module 'fastify' {
  interface FastifyRequest {
    form: Form
  }
}

const JSON_TYPE = 'application/json; charset=utf-8'

export type FormConfig = Pick<Config, 'compatibility' | 'rootCompatibility' | 'errorViolations'>

export interface ResponseFormOptions {
  config: FormConfig
}

export const responseForms = fp(
  async (app: FastifyInstance, { config }: ResponseFormOptions) => {
    app.decorateRequest('form', 'all')
    app.addHook('onRequest', (request, reply, done) => {
      const required = request.headers[FORM_HEADER]
      request.form = formOf(request, config)
      if (request.form !== 'all') applyForm(request.form, request, reply)
      if (required !== undefined && !isForm(required))
        throw invalidRequest([{ fieldName: 'X-Push-Compatibility', hint: `must be one of ${FORMS.join(', ')}` }])
      done()
    })
    if (config.errorViolations) return
    app.addHook('preSerialization', (_request, _reply, payload, done) =>
      done(null, isError(payload) ? withoutViolations(payload) : payload),
    )
  },
  { name: 'response-forms' },
)

/** The form that the request names, else that of its base. */
function formOf({ headers, raw }: FastifyRequest, config: FormConfig): Form {
  const required = headers[FORM_HEADER]
  if (isForm(required)) return required
  return baseOf(raw) === '' ? config.rootCompatibility : config.compatibility
}

/** The same for a request that the framework refuses before any hook. */
export function shapeRoutingError(request: FastifyRequest, reply: FastifyReply, config: FormConfig): void {
  const form = formOf(request, config)
  const isListed = config.errorViolations && (form === 'all' || hasViolations(request))
  reply.serializer((payload: unknown) => {
    const error = isError(payload) && !isListed ? withoutViolations(payload) : payload
    return JSON.stringify(form === 'all' ? error : shapedAs(VERSION_ERROR, error))
  })
}

function applyForm(form: VersionForm, request: FastifyRequest, reply: FastifyReply): void {
  const schema = schemaOf(form, request)
  if (!schema && !request.is404) return
  // A serialiser of our own leaves the content type to us.
  reply.header('content-type', JSON_TYPE)
  const isListed = hasViolations(request)
  reply.serializer((payload: unknown) => {
    if (isError(payload))
      return JSON.stringify(shapedAs(VERSION_ERROR, isListed ? payload : withoutViolations(payload)))
    return JSON.stringify(schema ? shapedAs(schema, payload) : payload)
  })
}

const operationOf = ({ routeOptions }: FastifyRequest) => routeOptions.schema?.operationId ?? ''

const schemaOf = (form: VersionForm, request: FastifyRequest) => VERSION_RESPONSES[form][operationOf(request)]

const hasViolations = (request: FastifyRequest) =>
  VALIDATED_OPERATIONS.has(operationOf(request)) || handlingOf(request.headers['prefer']) === 'strict'

const isError = (payload: unknown): payload is ErrorResponse =>
  typeof payload === 'object' && payload !== null && (payload as { status?: unknown }).status === 'ERROR'

/**
 * The first of them stands in the message, since a strict client drops an error with a list. Any other code has a text of the reference
 * server, which clients compare.
 */
function withoutViolations({ status, responseObject: { code, message, violations } }: ErrorResponse): ErrorResponse {
  const [first] = violations ?? []
  const named = first && code === 'ERROR_REQUEST' ? `${message}: ${first.fieldName} ${first.hint}` : message
  return { status, responseObject: { code, message: named } }
}
