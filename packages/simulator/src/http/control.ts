// The control calls: they change the responses and the behaviour of the fakes while they run.
import type { Platform } from '@push-server/contract'
import type { FastifyPluginAsync } from 'fastify'
import type { ScriptedResponse } from '../scripted-responses.ts'
import type { BehaviourSettings } from '../behaviour-settings.ts'
import type { Context } from '../context.ts'
import type { LatencyMs } from '../latency.ts'
import { PREFIXES } from '../token-prefixes.ts'
import type { Disconnect } from '../wire/listener.ts'
import { RESPONSE, BEHAVIOUR, DISCONNECT, LATENCY } from './schemas.ts'

export const controlRoutes =
  ({ responses, latency, controls }: Context): FastifyPluginAsync =>
  async (app) => {
    app.get('/control/responses', () => ({ prefixes: PREFIXES, scripted: responses.scripted() }))
    app.post<{ Body: ScriptedResponse & { token: string } }>(
      '/control/responses',
      { schema: { body: RESPONSE } },
      (request, reply) => {
        const { token, ...response } = request.body
        responses.script(token, response)
        return reply.code(204).send()
      },
    )
    app.delete<{ Querystring: { token?: string } }>('/control/responses', (request, reply) => {
      responses.forget(request.query.token)
      return reply.code(204).send()
    })
    app.post<{ Body: { latencyMs: LatencyMs } }>(
      '/control/latency',
      { schema: { body: LATENCY } },
      (request, reply) => {
        latency.set(request.body.latencyMs)
        return reply.code(204).send()
      },
    )
    app.post<{ Body: BehaviourSettings & { platform: Platform } }>(
      '/control/behaviour',
      { schema: { body: BEHAVIOUR } },
      async (request, reply) => {
        const { platform, ...control } = request.body
        await controls[platform].change(control)
        return reply.code(204).send()
      },
    )
    app.post<{ Body: { platform: Platform; manner?: Disconnect } }>(
      '/control/disconnect',
      { schema: { body: DISCONNECT } },
      (request, reply) => {
        const { platform, manner = 'cut' } = request.body
        controls[platform].disconnect(manner)
        return reply.code(204).send()
      },
    )
  }
