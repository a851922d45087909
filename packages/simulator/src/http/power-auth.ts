// The control calls of the fake of PowerAuth Server.
import type { FastifyPluginAsync } from 'fastify'
import { FAILURES } from '../behaviour.ts'
import {
  POWER_AUTH_STATUSES,
  POWER_AUTH_VERSIONS,
  type Directory,
  type PowerAuthActivation,
  type PowerAuthBehaviour,
  type PowerAuthClient,
  type PowerAuthVersion,
} from '../power-auth/directory.ts'

const TEXT = { type: 'string', minLength: 1, maxLength: 255 } as const

const ACTIVATION = {
  type: 'object',
  required: ['activationId', 'userId'],
  additionalProperties: false,
  properties: { activationId: TEXT, userId: TEXT, applicationId: TEXT, status: { enum: POWER_AUTH_STATUSES } },
} as const

const APPLICATION = {
  type: 'object',
  required: ['applicationId'],
  additionalProperties: false,
  properties: { applicationId: TEXT },
} as const

const CLIENT = {
  type: 'object',
  required: ['clientToken', 'clientSecret'],
  additionalProperties: false,
  properties: { clientToken: { type: 'string' }, clientSecret: { type: 'string' } },
} as const

const VERSIONS = {
  type: 'object',
  required: ['versions'],
  additionalProperties: false,
  properties: { versions: { type: 'array', uniqueItems: true, items: { enum: POWER_AUTH_VERSIONS } } },
} as const

const BEHAVIOUR = {
  type: 'object',
  additionalProperties: false,
  oneOf: [{ required: ['status'] }, { required: ['text'] }, { required: ['failure'] }],
  properties: {
    status: { type: 'integer', minimum: 200, maximum: 599 },
    code: TEXT,
    message: TEXT,
    text: { type: 'string' },
    failure: { enum: FAILURES.filter((failure) => failure !== 'goaway') },
    times: { type: 'integer', minimum: 1 },
  },
} as const

export const powerAuthRoutes =
  (directory: Directory): FastifyPluginAsync =>
  async (app) => {
    const path = '/control/power-auth'
    app.get(`${path}/requests`, () => directory.requests)
    app.post<{ Body: PowerAuthActivation }>(
      `${path}/activations`,
      { schema: { body: ACTIVATION } },
      (request, reply) => {
        directory.addActivation(request.body)
        return reply.code(204).send()
      },
    )
    app.post<{ Body: { applicationId: string } }>(
      `${path}/applications`,
      { schema: { body: APPLICATION } },
      (request, reply) => {
        directory.addApplication(request.body.applicationId)
        return reply.code(204).send()
      },
    )
    app.post<{ Body: PowerAuthClient }>(`${path}/client`, { schema: { body: CLIENT } }, (request, reply) => {
      directory.restrict(request.body)
      return reply.code(204).send()
    })
    app.delete(`${path}/client`, (_request, reply) => {
      directory.restrict(undefined)
      return reply.code(204).send()
    })
    app.post<{ Body: { versions: PowerAuthVersion[] } }>(
      `${path}/versions`,
      { schema: { body: VERSIONS } },
      (request, reply) => {
        directory.serve(request.body.versions)
        return reply.code(204).send()
      },
    )
    app.post<{ Body: PowerAuthBehaviour }>(`${path}/behaviour`, { schema: { body: BEHAVIOUR } }, (request, reply) => {
      directory.behave(request.body)
      return reply.code(204).send()
    })
    app.delete(`${path}/behaviour`, (_request, reply) => {
      directory.behave(undefined)
      return reply.code(204).send()
    })
  }
