// Which paths there are and which methods they take: checked before anything else of the request, its body above all.
import { ApiError } from '@push-server/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

export const paths = fp(
  async (app: FastifyInstance) => {
    const known: Path[] = []
    app.addHook('onRoute', ({ method, url }) => void known.push({ methods: [method].flat(), pattern: patternOf(url) }))

    function refuse(request: FastifyRequest, reply: FastifyReply) {
      const allowed = otherMethods(known, request)
      if (allowed.length === 0) throw new ApiError('ERROR_NOT_FOUND', 'There is nothing at this path')
      if (request.method === 'OPTIONS') return reply.header('allow', [...allowed, 'OPTIONS'].join(', ')).send()
      reply.header('allow', allowed.join(', '))
      throw new ApiError('ERROR_METHOD_NOT_ALLOWED', `This path takes ${allowed.join(', ')}`)
    }

    app.addHook('onRequest', (request, reply, done) => {
      if (!request.is404) return done()
      refuse(request, reply)
    })
    // For handlers that find out themselves.
    app.setNotFoundHandler(async (request, reply) => refuse(request, reply))
  },
  { name: 'paths' },
)

interface Path {
  methods: string[]
  pattern: RegExp
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Of a route's path: `:name` stands for anything but a slash, `:name(…)` for what the expression says, in which a group has none inside. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(:\w+(?:\((?:[^()]|\([^()]*\))*\))?|\*)/)
  const source = parts.map((part, index) => {
    if (index % 2 === 0) return part.replaceAll('.', String.raw`\.`)
    const [, expression = part === '*' ? '.*' : '[^/]+'] = /\((.*)\)$/.exec(part) ?? []
    return `(?:${expression.replace(/^\^|\$$/g, '')})`
  })
  return new RegExp(`^${source.join('')}$`)
}

/** Methods that the path takes, this one apart. The target of a request may be a whole URL: RFC 9112, 3.2.2. */
function otherMethods(known: readonly Path[], request: FastifyRequest): string[] {
  const [url = '/'] = request.url.replace(/^https?:\/\/[^/?#]*/i, '').split('?')
  const taken = new Set(known.filter(({ pattern }) => pattern.test(url)).flatMap(({ methods }) => methods))
  return METHODS.filter((method) => method !== request.method && taken.has(method))
}
