// The control calls: what the look-alikes answer and how fast, changed while they run.
import type { FastifyPluginAsync } from 'fastify'
import type { ScriptedAnswer } from '../answers.ts'
import { FAULTS } from '../behaviour.ts'
import type { Context } from '../context.ts'
import type { LatencyMs } from '../latency.ts'
import { PREFIXES } from '../prefixes.ts'

const ANSWER = {
  type: 'object',
  required: ['token'],
  additionalProperties: false,
  oneOf: [{ required: ['status'] }, { required: ['fault'] }],
  properties: {
    token: { type: 'string', minLength: 1, maxLength: 4096 },
    status: { type: 'integer', minimum: 200, maximum: 599 },
    reason: { type: 'string', minLength: 1 },
    retryAfter: { type: 'integer', minimum: 0 },
    timestamp: { type: 'integer', minimum: 0 },
    fault: { enum: FAULTS },
    times: { type: 'integer', minimum: 1 },
  },
} as const

const MILLISECONDS = { type: 'number', minimum: 0, maximum: 600_000 } as const
const LATENCY = {
  type: 'object',
  required: ['latencyMs'],
  additionalProperties: false,
  properties: {
    latencyMs: {
      anyOf: [
        MILLISECONDS,
        {
          type: 'object',
          required: ['min', 'max'],
          additionalProperties: false,
          properties: { min: MILLISECONDS, max: MILLISECONDS },
        },
      ],
    },
  },
} as const

export const controlRoutes =
  ({ answers, latency }: Context): FastifyPluginAsync =>
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
  }
