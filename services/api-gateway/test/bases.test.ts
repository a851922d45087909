// Every path under every base: the root, the prefix of installations of the reference server, and the prefix that a trusted proxy names.
import type { IncomingMessage } from 'node:http'
import { openActivations, openBackPressure, openMessageBatches, openWaiters, type Context } from '@push-server/domain'
import { openTestStack } from '@push-server/testing'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { baseOf, bareSegmentOf, forwardedPrefix, openBases } from '../src/bases.ts'
import { buildApp } from '../src/index.ts'

const OWN = '/powerauth-push-server'

t.test('which values of X-Forwarded-Prefix count', async (t) => {
  for (const [value, expected] of [
    ['/gw', '/gw'],
    ['/gw/', '/gw'],
    ['/bank/push-1/a.b_c~d', '/bank/push-1/a.b_c~d'],
    [`/${'x'.repeat(255)}`, `/${'x'.repeat(255)}`],
    [`/${'x'.repeat(256)}`, ''],
    [undefined, ''],
    ['', ''],
    ['/', ''],
    ['gw', ''],
    ['//gw', ''],
    ['//gw.example/a', ''],
    ['/gw//a', ''],
    ['/gw//', ''],
    ['/gw/../a', ''],
    ['/..', ''],
    ['/./a', ''],
    ['/a/.', ''],
    ['/...', '/...'],
    ['/gw%2Fa', ''],
    ['/gw, /other', ''],
    ['/gw /a', ''],
    ['/gw?a', ''],
    ['/gw#a', ''],
    ['/gw"><script>', ''],
    ['/gw\n', ''],
    ['\\gw', ''],
    ['https://gw.example/a', ''],
    ['/gwä', ''],
    [['/gw', '/other'], ''],
  ] as const)
    t.equal(forwardedPrefix(typeof value === 'object' ? [...value] : value), expected, JSON.stringify(value))
})

interface Call {
  url: string
  prefix?: string
  from?: string
}

t.test('what is the base of a request, and what is routed', async (t) => {
  const bases = openBases({ contextPath: OWN, trustProxy: ['10.0.0.0/8', 'loopback'] })
  for (const route of ['/', '/push/message/send', '/admin/queues/*']) bases.know(route)
  const cases: readonly [Call, base: string, target: string, bare?: string][] = [
    [{ url: '/a?b=/c' }, '', '/a?b=/c'],
    [{ url: `${OWN}/a?b` }, OWN, '/a?b'],
    [{ url: `${OWN}?b` }, OWN, '/?b', 'powerauth-push-server'],
    [{ url: `${OWN}foo/a` }, '', `${OWN}foo/a`],
    [{ url: `http://h:1${OWN}/a` }, OWN, 'http://h:1/a'],
    [{ url: '/a', prefix: '/gw' }, '/gw', '/a'],
    [{ url: '/gw/a', prefix: '/gw' }, '/gw', '/a'],
    [{ url: '/gw', prefix: '/gw' }, '/gw', '/', 'gw'],
    [{ url: '/gwfoo/a', prefix: '/gw' }, '/gw', '/gwfoo/a'],
    [{ url: '/x/y/a', prefix: '/x/y/' }, '/x/y', '/a'],
    [{ url: '/x/y?b', prefix: '/x/y' }, '/x/y', '/?b', 'y'],
    [{ url: 'http://h:1/gw/a', prefix: '/gw' }, '/gw', 'http://h:1/a'],
    [{ url: `${OWN}/a`, prefix: '/gw' }, `/gw${OWN}`, '/a'],
    [{ url: `/gw${OWN}/a`, prefix: '/gw' }, `/gw${OWN}`, '/a'],
    [{ url: OWN, prefix: '/gw' }, `/gw${OWN}`, '/', 'powerauth-push-server'],
    [{ url: '/a', prefix: OWN }, OWN, '/a'],
    [{ url: `${OWN}/a`, prefix: OWN }, OWN, '/a'],
    // The proxy has stripped it: behind it this would be no path of ours.
    [{ url: '/push/message/send', prefix: '/push' }, '/push', '/push/message/send'],
    [{ url: '/a', prefix: '/gw/../x' }, '', '/a'],
    [{ url: '/gw/a', prefix: '/gw', from: '192.168.0.1' }, '', '/gw/a'],
    [{ url: `${OWN}/a`, prefix: '/gw', from: '192.168.0.1' }, OWN, '/a'],
    [{ url: '/a', prefix: '/gw', from: '::ffff:10.1.2.3' }, '/gw', '/a'],
  ]
  for (const [{ url, prefix, from = '127.0.0.1' }, base, target, bare] of cases) {
    const headers = prefix === undefined ? {} : { 'x-forwarded-prefix': prefix }
    const request = { url, headers, socket: { remoteAddress: from } } as unknown as IncomingMessage
    const name = `${url} ${prefix ?? ''} ${from}`
    t.equal(bases.strip(request), target, name)
    t.same([baseOf(request), bareSegmentOf(request)], [base, bare], name)
  }
  for (const contextPath of ['/push', '/push/bank', '/admin/'])
    t.throws(
      () =>
        ['/', '/push/message/send', '/admin/queues/*'].forEach(openBases({ contextPath, trustProxy: undefined }).know),
      { name: 'ConfigError', message: /^CONTEXT_PATH: paths of the API begin with \/(push|admin) themselves/ },
      contextPath,
    )
  const trusting = openBases({ contextPath: '/', trustProxy: undefined })
  const request = { url: `${OWN}/a`, headers: { 'x-forwarded-prefix': OWN }, socket: {} } as unknown as IncomingMessage
  t.equal(trusting.strip(request), `${OWN}/a`, 'nobody is trusted by default')
})

const stack = await openTestStack({ services: [] })
t.teardown(() => stack.close())

async function build(settings: Partial<Context['config']>): Promise<FastifyInstance> {
  const context = { ...stack.context, config: { ...stack.context.config, ...settings } }
  const waiters = await openWaiters(context.store, context.log)
  const pressure = await openBackPressure(context)
  const activations = openActivations(context.config, context.store)
  const batches = openMessageBatches(context)
  const app = await buildApp(context, { waiters, pressure, batches, activations })
  t.teardown(async () => {
    await app.close()
    for (const part of [activations, pressure, waiters]) await part.close()
  })
  await app.ready()
  return app
}

const trusting = await build({ trustProxy: ['loopback'] })
const wary = await build({ trustProxy: ['10.0.0.0/8'] })

type Method = 'GET' | 'POST'
const call = (app: FastifyInstance, method: string, url: string, headers: Record<string, string> = {}) =>
  app.inject({ method: method as Method, url, headers: { host: 'localhost', ...headers } })

/** What stands before the path, what the proxy says, and the base that it makes. */
const BASES: readonly [before: string, prefix: string | undefined, base: string][] = [
  ['', undefined, ''],
  [OWN, undefined, OWN],
  ['', '/gw', '/gw'],
  ['/gw', '/gw', '/gw'],
  ['/bank/gw', '/bank/gw', '/bank/gw'],
  ['', OWN, OWN],
  [OWN, '/gw', `/gw${OWN}`],
  ['', '/push', '/push'],
]
const headersOf = (prefix: string | undefined): Record<string, string> =>
  prefix === undefined ? {} : { 'x-forwarded-prefix': prefix }

t.test('every route responds alike under every base', async (t) => {
  const routes = Object.keys(trusting.scopes())
  t.ok(routes.length > 60, `${routes.length} routes`)
  const different: string[] = []
  let found = 0
  for (const route of routes) {
    const [method = '', path = ''] = route.split(' ')
    const concrete = path
      .replaceAll(/:\w+\((?:[^()]|\([^()]*\))*\)/g, '00000000-0000-4000-8000-000000000000')
      .replaceAll(/:\w+/g, '1')
      .replace('*', 'x')
    const seen = []
    for (const [before, prefix] of BASES) {
      const { statusCode, headers } = await call(trusting, method, before + concrete, headersOf(prefix))
      seen.push(`${statusCode} ${String(headers['content-type'])}`)
    }
    if (new Set(seen).size > 1) different.push(`${route}: ${seen.join(' | ')}`)
    if (!seen[0]?.startsWith('404')) found++
  }
  t.same(different, [])
  t.ok(found > routes.length / 2, `${found} routes respond with more than 404`)
})

t.test('a prefix counts from a trusted proxy alone', async (t) => {
  const list = '/push/service/status'
  t.equal((await call(trusting, 'GET', `/gw${list}`, headersOf('/gw'))).statusCode, 200)
  t.equal((await call(wary, 'GET', `/gw${list}`, headersOf('/gw'))).statusCode, 404)
  const { servers } = (await call(wary, 'GET', '/v3/api-docs', headersOf('/gw'))).json<{ servers: unknown }>()
  t.same(servers, [{ url: '/' }])
  const bad = await call(wary, 'POST', '/admin/app/create', headersOf('/gw'))
  t.ok('violations' in errorOf(bad), 'its form is that of the root')
})

const errorOf = (response: LightMyRequestResponse) =>
  response.json<{ responseObject: Record<string, unknown> }>().responseObject

t.test('the base chooses the form: of refusals by a route, and of paths that no route gets', async (t) => {
  const open = { ...stack.context.config, trustProxy: ['loopback'] }
  const bare = await build({ ...open, errorViolations: false })
  const older = await build({ ...open, compatibility: '1.9', rootCompatibility: '1.10' })
  const long = `/push/campaign/${'1'.repeat(101)}/detail`
  const REFUSALS: readonly [method: string, path: string, status: number, field: string][] = [
    ['GET', '/push/%zz', 400, 'path'],
    ['GET', '/%E9', 400, 'path'],
    ['GET', long, 400, 'path'],
    ['DELETE', '/push/campaign/%C3%28/delete', 400, 'path'],
    ['GET', '/push/campaign/list?all=%E9', 400, 'all'],
  ]
  for (const [before, prefix, base] of BASES)
    for (const form of [undefined, '1.9', '1.10', 'all'])
      for (const [method, path, status, field] of REFUSALS) {
        const headers = { ...headersOf(prefix), ...(form !== undefined && { 'x-push-compatibility': form }) }
        const name = `${before}${path} ${JSON.stringify(headers)}`
        const inForm = async (app: FastifyInstance, isListed: boolean) => {
          const response = await call(app, method, before + path, headers)
          t.equal(response.statusCode, status, name)
          t.match(response.headers['content-type'], /^application\/json/, name)
          const { code, message, violations, ...more } = errorOf(response)
          t.same([code, more], ['ERROR_REQUEST', {}], name)
          if (isListed) t.match([message, violations], ['Invalid method parameter value', [{ fieldName: field }]], name)
          else {
            t.equal(violations, undefined, name)
            t.match(message, new RegExp(`^Invalid method parameter value: ${field} must `), name)
          }
        }
        await inForm(trusting, (form ?? (base === '' ? 'all' : '1.10')) === 'all')
        await inForm(older, form === 'all')
        await inForm(bare, false)
      }
})
