// The control calls: what the look-alikes answer, how fast and whether at all, changed while they run.
import type { Platform } from '@push-server/contract'
import type { FastifyPluginAsync } from 'fastify'
import type { ScriptedAnswer } from '../answers.ts'
import type { Conduct } from '../conduct.ts'
import type { Context } from '../context.ts'
import type { LatencyMs } from '../latency.ts'
import { PREFIXES } from '../prefixes.ts'
import type { Farewell } from '../wire/listener.ts'
import { ANSWER, CONDUCT, FAREWELL, LATENCY } from './schemas.ts'

export const controlRoutes =
  ({ answers, latency, conducts }: Context): FastifyPluginAsync =>
  async (app) => {
    app.get('/control/answers', () => ({ prefixes: PREFIXES, scripted: answers.scripted() }))
    app.post<{ Body: ScriptedAnswer & { token: string } }>(
      '/control/answers',
      { schema: { body: ANSWER } },
      (request, reply) => {
        const { token, ...answer } = request.body
        answers.script(token, answer)
        return reply.code(204).send()
      },
    )
    app.delete<{ Querystring: { token?: string } }>('/control/answers', (request, reply) => {
      answers.forget(request.query.token)
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
    app.post<{ Body: Conduct & { platform: Platform } }>(
      '/control/conduct',
      { schema: { body: CONDUCT } },
      async (request, reply) => {
        const { platform, ...conduct } = request.body
        await conducts[platform].change(conduct)
        return reply.code(204).send()
      },
    )
    app.post<{ Body: { platform: Platform; farewell?: Farewell } }>(
      '/control/disconnect',
      { schema: { body: FAREWELL } },
      (request, reply) => {
        const { platform, farewell = 'cut' } = request.body
        conducts[platform].disconnect(farewell)
        return reply.code(204).send()
      },
    )
  }
