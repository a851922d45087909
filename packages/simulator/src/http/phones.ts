// The phones and the counts as JSON.
import { PLATFORMS, type Platform } from '@push-server/contract'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { Context } from '../context.ts'

type NewPhone = { platform: Platform; token: string; name?: string }
type ByToken = { Params: { token: string } }

const NEW_PHONE = {
  type: 'object',
  required: ['platform', 'token'],
  additionalProperties: false,
  properties: {
    platform: { enum: PLATFORMS },
    token: { type: 'string', minLength: 1, maxLength: 4096 },
    name: { type: 'string', minLength: 1, maxLength: 100 },
  },
} as const

export const phoneRoutes =
  ({ pushLog }: Context): FastifyPluginAsync =>
  async (app) => {
    app.get('/phones', () => pushLog.phones())
    app.get('/stats', () => pushLog.stats())
    app.get<ByToken>('/phones/:token', (request, reply) => pushLog.findPhone(request.params.token) ?? noPhone(reply))
    app.post<{ Body: NewPhone }>('/phones', { schema: { body: NEW_PHONE } }, (request, reply) =>
      reply.code(201).send(pushLog.addPhone(request.body)),
    )
    app.delete<ByToken>('/phones/:token/notifications', (request, reply) =>
      pushLog.clearPhone(request.params.token) ? reply.code(204).send() : noPhone(reply),
    )
  }

const noPhone = (reply: FastifyReply) => reply.code(404).send({ message: 'There is no phone with this token' })
