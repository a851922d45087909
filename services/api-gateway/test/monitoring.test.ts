// What a gateway shows of itself to whoever is on call: its metrics, and the line of each request.
import { readFile } from 'node:fs/promises'
import { createLogger } from '@push-server/runtime'
import { openTestStack, waitFor } from '@push-server/testing'
import t from 'tap'
import { APP, message, SEND } from './_gateway.ts'

const stack = await openTestStack({ services: [] })
t.teardown(() => stack.close())
const lines: Record<string, unknown>[] = []
stack.context.log = createLogger({ logLevel: 'info', logPretty: false }, 'gateway', {
  write: (text) => void lines.push(JSON.parse(text) as Record<string, unknown>),
})
await stack.start('apns')
await stack.start('gateway')
await stack.configure()
await stack.register({ userId: 'anna', token: 'aa'.repeat(32), activationId: 'anna' })

const send = (path: string, object: unknown, headers: Record<string, string> = {}) =>
  fetch(`${stack.api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-correlation-id': 'one-id-for-all', ...headers },
    body: JSON.stringify({ requestObject: object }),
  })

t.test('the line of a send has what support asks for', async (t) => {
  const response = await send(SEND, { appId: APP, message: message({ userId: 'anna' }) })
  const { responseObject } = (await response.json()) as { responseObject: { messageIds: string[] } }
  const completed = lines.filter(({ msg, route }) => msg === 'request completed' && route === SEND)
  t.match(completed, [
    { reqId: 'one-id-for-all', appId: APP, messageId: responseObject.messageIds[0], messages: 1, chunkIds: [Number] },
  ])
  await send(SEND, { appId: 'nowhere', message: message() })
  t.match(
    lines.at(-1),
    { msg: 'request completed', status: 400, appId: 'nowhere' },
    'refused ones name the application',
  )
})

t.test('the lines of a worker have the id that the request came with', async (t) => {
  const token = 'bb'.repeat(32)
  await stack.register({ userId: 'gone', token, activationId: 'gone' })
  stack.simulator.respondTo(token, { status: 410, reason: 'Unregistered' })
  await send(SEND, { appId: APP, message: message({ userId: 'gone' }) })
  const dropped = await waitFor('the line of the worker', async () =>
    lines.find(({ msg }) => msg === 'devices with dead tokens dropped'),
  )
  t.match(dropped, { correlationIds: ['one-id-for-all'], chunkId: Number })
})

t.test('requests are counted by the route as in OpenAPI, without its prefix', async (t) => {
  await fetch(`${stack.api.url}/push/message/00000000-0000-4000-8000-000000000000`)
  await fetch(`${stack.api.url}/nowhere/at/all`)
  const text = await (await fetch(`${stack.api.url}/metrics`)).text()
  const sample = (name: string, labels: string) =>
    new RegExp(`^${name}\\{${labels.replaceAll(/[{}]/g, '\\$&')}\\} (\\S+)$`, 'm').exec(text)?.[1]
  // One to a phone, one to a phone that has gone.
  const sent = `method="POST",outcome="SUCCESS",status="200",uri="${SEND}"`
  t.equal(sample('http_server_requests_seconds_count', sent), '2')
  t.ok(Number(sample('http_server_requests_seconds_sum', sent)) > 0)
  t.ok(Number(sample('http_server_requests_seconds_max', sent)) > 0)
  t.equal(
    sample(
      'http_server_requests_seconds_count',
      'method="GET",outcome="CLIENT_ERROR",status="404",uri="/push/message/{id}"',
    ),
    '1',
  )
  t.equal(
    sample('http_server_requests_seconds_count', 'method="GET",outcome="CLIENT_ERROR",status="404",uri="NOT_FOUND"'),
    '1',
  )
})

t.test('what waits, and how long it took, is in the metrics', async (t) => {
  const text = await stack.context.metrics.text()
  t.match(text, /^push_dwell_seconds_count\{platform="ios",lane="direct"\} 1$/m)
  t.match(text, /^push_queue_jobs\{platform="ios",lane="direct",state="waiting"\} 0$/m)
  t.match(text, /^push_database_connections\{state="idle"\} [1-9]\d*$/m)
  t.match(text, /^push_database_waiting 0$/m)
  t.match(text, /^push_clock_offset_seconds -?0(\.\d+)?$/m)
})

t.test('docs/migrating.md: every metric that replaces a panel of theirs is there', async (t) => {
  const document = await readFile(new URL('../../../docs/migrating.md', import.meta.url), 'utf8')
  const [, table = ''] = document.split('| panel of theirs | here |')
  const [rows = ''] = table.split('\n\n')
  const ours = rows
    .split('\n')
    .flatMap((row) => row.split(' | ')[1]?.match(/\b(?:push|process|nodejs)_[a-z0-9_]+/g) ?? [])
  t.ok(ours.length > 10, `${ours.length} names`)
  const text = await stack.context.metrics.text()
  const names = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
  t.same(
    ours.filter((name) => !names.has(name)),
    [],
  )
})

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`

t.test('a trace stands in every line of its request and in those of the worker, and goes to no provider', async (t) => {
  const token = 'cc'.repeat(32)
  await stack.register({ userId: 'traced', token, activationId: 'traced' })
  const traced = { traceparent: TRACEPARENT, 'x-correlation-id': 'id-of-a-traced-request' }
  const known = lines.length
  // A member that nobody reads makes a second line.
  await send(SEND, { appId: APP, message: message({ userId: 'traced' }), nobodyReadsIt: 1 }, traced)
  const own = () => lines.slice(known).filter(({ reqId }) => reqId === 'id-of-a-traced-request')
  await waitFor('both lines', async () => own().length >= 2)
  const [{ spanId } = {}] = own()
  t.match(spanId, /^[0-9a-f]{16}$/)
  t.not(spanId, PARENT)
  for (const line of own()) t.match(line, { traceId: TRACE, spanId })
  const [push] = stack.simulator.pushes.filter((one) => one.token === token)
  t.ok(push)
  t.notMatch(JSON.stringify(push), new RegExp(`trace|${TRACE}`, 'i'))

  stack.simulator.respondTo(token, { status: 410, reason: 'Unregistered' })
  await send(SEND, { appId: APP, message: message({ userId: 'traced' }) }, { b3: `${TRACE}-${PARENT}-0` })
  const dropped = await waitFor('the line of the worker', async () =>
    lines.slice(known).find(({ msg }) => msg === 'devices with dead tokens dropped'),
  )
  t.match(dropped, { correlationIds: ['one-id-for-all'], traceIds: [TRACE] })
  const stored = await stack.database.query<{ trace_context: string }>(
    'SELECT trace_context FROM messages WHERE trace_context IS NOT NULL ORDER BY created_at',
  )
  t.same(stored.length, 2)
  t.equal(stored[0]?.trace_context, `00-${TRACE}-${String(spanId)}-01`)
  t.match(stored[1]?.trace_context, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
})

t.test('without a trace none is made', async (t) => {
  const known = lines.length
  await send(SEND, { appId: APP, message: message() }, { traceparent: '00-bad' })
  await send(SEND, { appId: APP, message: message() })
  const own = lines.slice(known).filter(({ msg }) => msg === 'request completed')
  t.equal(own.length, 2)
  for (const line of own) t.notOk('traceId' in line || 'spanId' in line)
  t.same(await stack.database.query('SELECT 1 FROM messages WHERE trace_context IS NOT NULL OFFSET 2'), [])
})

t.test('a trace of a path that cannot be routed stands in its line, too', async (t) => {
  await fetch(`${stack.api.url}/push/%zz`, { headers: { traceparent: TRACEPARENT, 'x-correlation-id': 'unroutable' } })
  const line = await waitFor('its line', async () => lines.find(({ reqId }) => reqId === 'unroutable'))
  t.match(line, { msg: 'request completed', status: 400, traceId: TRACE, spanId: String })
})
