// Who calls, and whether the route is for them. Each route names its scope beside its schema, `config: { scope: 'message' }`;
// one that does not keeps the gateway from starting.
import { PUBLIC, tooManyRequests, type Scope } from '@push-server/contract'
import { CHALLENGES, type Access, type Caller } from '@push-server/domain'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { holdToApplications, type ApplicationsOf, type OWN } from '../validation/applications.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope that a key must have; `public` requires no key. */
    scope?: Scope | typeof PUBLIC
    /** Where the request names its applications. */
    applications?: ApplicationsOf | typeof OWN
    /** Of a public route that shows more to keys with this scope; the request then says whether it has one. */
    detailScope?: Scope
  }
  interface FastifyInstance {
    /** The scope of each route, by method and path as it is written, such as `POST /push/message/send`. */
    scopes(): Record<string, FastifyContextConfig['scope']>
  }
  interface FastifyRequest {
    /** The caller whose key the request has; null on public routes, and while no key is required. */
    caller: Caller | null
    /** Whether it may read what `detailScope` keeps for some; a rejection means no. */
    mayReadDetails(): Promise<boolean>
  }
}

/**
 * Failures of one address (of one /64 network in IPv6) before it is slowed down, and for how long they count. Valid keys pass
 * all the same: others may share the address.
 */
const FAILURES = { max: 20, timeWindow: 60_000 }

export const authentication = fp(
  async (app: FastifyInstance, { access }: { access: Access }) => {
    await app.register(rateLimit, { global: false })
    const countFailures = app.createRateLimit(FAILURES)
    app.decorateRequest('caller', null)
    app.decorateRequest('mayReadDetails', async function (this: FastifyRequest) {
      const { detailScope } = this.routeOptions.config
      if (detailScope === undefined) return false
      // Most callers have no key and need none: that is no failure to count.
      if (this.headers.authorization === undefined) return !(await access.isOn())
      const caller = await admit(this, detailScope)
      return caller === undefined || caller.appIds.length === 0
    })
    requireScopes(app)

    app.addHook('onRequest', async (request, reply) => {
      const { scope } = request.routeOptions.config
      // A path that does not exist is reported to every caller; a route without a scope does not get this far.
      if (scope === undefined || scope === PUBLIC) return
      try {
        request.caller = (await admit(request, scope)) ?? null
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 401) reply.header('www-authenticate', [...CHALLENGES])
        throw error
      }
      // What the path says is known before the body is read: 16 MB for somebody else's campaign are not even parsed.
      if (request.caller) await holdToApplications(request.caller, request, 'before the body')
    })
    // Only here the body has been read and validated.
    app.addHook('preHandler', (request, _reply, done) => {
      if (!request.caller || request.caller.appIds.length === 0) return done()
      holdToApplications(request.caller, request, 'validated').then(() => done(), done)
    })

    async function admit(request: FastifyRequest, scope: Scope): Promise<Caller | undefined> {
      const { authorization } = request.headers
      try {
        return await access.admit({ authorization, scope, isSuspect: () => isSuspect(request) })
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 401) await slowDown(request)
        throw error
      }
    }

    async function isSuspect(request: FastifyRequest): Promise<boolean> {
      const failures = await countFailures(request, { increment: false })
      return !failures.isAllowed && failures.isExceeded
    }

    /** Counts a failure, and refuses with 429 when there were too many. */
    async function slowDown(request: FastifyRequest): Promise<void> {
      const failures = await countFailures(request)
      if (failures.isAllowed) return
      const { isExceeded, remaining, ttlInSeconds } = failures
      if (isExceeded) throw tooManyRequests('Too many requests without a valid API key', ttlInSeconds)
      if (remaining > 0) request.log.info({ address: request.ip }, 'caller without a valid API key')
      else request.log.warn({ address: request.ip }, 'address without a valid API key is slowed down')
    }
  },
  { name: 'authentication' },
)

/** Fails the start for routes that name no scope. Checks last, as hooks of single plugins set the scope of foreign routes. */
function requireScopes(app: FastifyInstance): void {
  const routes: RouteOptions[] = []
  const namesOf = ({ method, url }: RouteOptions) => [method].flat().map((one) => `${one} ${url}`)
  app.addHook('onRoute', (route) => void routes.push(route))
  app.addHook('onReady', async () => {
    const names = routes.filter(({ config }) => config?.scope === undefined).flatMap(namesOf)
    if (names.length > 0) throw new Error(`Add config: { scope: … } to these routes: ${names.join(', ')}`)
  })
  app.decorate('scopes', () =>
    Object.fromEntries(routes.flatMap((route) => namesOf(route).map((name) => [name, route.config?.scope]))),
  )
}
