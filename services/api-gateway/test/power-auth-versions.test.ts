// Versions 3 and 4 of PowerAuth Server's interface, simulated at the wire: which one is called, and when the other one is.
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { openActivations } from '@push-server/domain'
import { readConfig } from '@push-server/runtime'
import { openTestStack } from '@push-server/testing'
import { APP } from './_gateway.ts'

const ID = 'activation-of-a-user'
const FOUND = [{ userId: 'of-power-auth', status: 'ACTIVE', applicationId: APP }]

const stack = await openTestStack({ services: [], powerAuth: true })
t.teardown(stack.close)
const { powerAuth } = stack.simulator
powerAuth.addActivation({ activationId: ID, userId: 'of-power-auth', applicationId: APP })

/** A client as the gateway has one, with a memory of its own. */
function openClient(t: Test, environment: Record<string, string> = {}) {
  const reported: object[] = []
  const config = readConfig({ ...stack.environment, POWERAUTH_RESPONSE_TIMEOUT: '4s', ...environment })
  const activations = openActivations(config, stack.context.store)
  t.teardown(() => activations.close())
  t.teardown(() => powerAuth.serve(['v3', 'v4']))
  t.teardown(() => powerAuth.behave(undefined))
  const caller = { id: 'of-a-test', log: { warn: (line: object) => void reported.push(line) } }
  return {
    reported,
    find: () => activations.find({ activationIds: [ID], caller }),
    list: () => activations.applications(caller),
  }
}

/** Versions that the work has called, in order. */
async function called(work: () => Promise<unknown>): Promise<(string | undefined)[]> {
  const before = powerAuth.requests.length
  await work()
  return powerAuth.requests.slice(before).map(({ path }) => path.split('/')[2])
}

t.test('R2-10 both are there: version 4, without the blob', async (t) => {
  const { find, list } = openClient(t)
  t.same(await find(), FOUND)
  t.match(powerAuth.requests.at(-1), {
    path: '/rest/v4/activation/status',
    requestObject: { activationId: ID, includeStatusBlob: false },
  })
  t.same(await list(), [APP])
  t.match(powerAuth.requests.at(-1), { path: '/rest/v4/application/list', requestObject: {} })
})

t.test('R2-10 version 4 is missing: version 3, remembered for both calls', async (t) => {
  const { find, list, reported } = openClient(t)
  powerAuth.serve(['v3'])
  t.same(await called(async () => t.same(await find(), FOUND)), ['v4', 'v3'])
  t.same(powerAuth.requests.at(-1)?.requestObject, { activationId: ID }, 'as version 3 has it')
  t.same(await called(find), ['v3'])
  t.same(await called(list), ['v3'])
  powerAuth.serve(['v4'])
  t.same(await called(async () => t.same(await list(), [APP])), ['v3', 'v4'], 'it was replaced')
  t.same(await called(find), ['v4'])
  t.same(reported, [], 'nothing failed')
})

t.test('each process finds out by itself', async (t) => {
  powerAuth.serve(['v3'])
  const clients = [openClient(t), openClient(t)]
  for (const { list } of clients) t.same(await called(list), ['v4', 'v3'])
})

t.test('a version that is set is the only one', async (t) => {
  const three = openClient(t, { POWERAUTH_API: 'v3' })
  t.same(await called(async () => t.same(await three.find(), FOUND)), ['v3'])
  powerAuth.serve(['v3'])
  const four = openClient(t, { POWERAUTH_API: 'v4' })
  t.same(await called(() => t.rejects(four.find(), { name: 'ActivationsUnavailable' })), ['v4'])
  t.match(four.reported, [{ endpoint: '/v4/activation/status', reason: 'HTTP 404' }])
  t.throws(
    () => readConfig({ ...stack.environment, POWERAUTH_API: 'v2' }),
    /POWERAUTH_API: "v2" is not auto or v3 or v4/,
  )
})

t.test('neither is there: the address is wrong, and nothing is remembered', async (t) => {
  const { find, reported } = openClient(t)
  powerAuth.serve([])
  t.same(await called(() => t.rejects(find(), { name: 'ActivationsUnavailable' })), ['v4', 'v3'])
  t.match(reported, [{ endpoint: '/v4/activation/status', reason: /HTTP 404/ }])
  powerAuth.serve(['v3', 'v4'])
  t.same(await called(find), ['v4'])
})

t.test('any other error is one of the call: version 3 is left alone', async (t) => {
  const { find } = openClient(t)
  for (const behaviour of [
    { status: 400, code: 'ERR0024' },
    { status: 401 },
    { status: 403 },
    { status: 404, code: 'ERR0009' },
    { status: 500 },
    { status: 502 },
    { status: 503 },
    { text: '<html>' },
    { failure: 'drop' },
    { failure: 'silence' },
  ] as const) {
    powerAuth.behave(behaviour)
    const name = JSON.stringify(behaviour)
    t.same(await called(() => t.rejects(find(), { name: 'ActivationsUnavailable' }, name)), ['v4'], name)
  }
  powerAuth.behave(undefined)
  t.same(await called(find), ['v4'], 'nothing is remembered')
})

/** A client of a PowerAuth Server that has version 3 alone and does this with its calls. */
async function openClientOf(t: Test, version3: RequestListener) {
  const server = createServer((request, response) => {
    request.resume()
    if (request.url?.startsWith('/rest/v4/')) response.writeHead(404).end('<html>Not Found</html>')
    else version3(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return openClient(t, {
    POWERAUTH_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/rest`,
    POWERAUTH_RESPONSE_TIMEOUT: '500ms',
  })
}

t.test('the error of the version that is there is reported, and both calls have one time limit', async (t) => {
  const failing = await openClientOf(t, (_, response) => response.writeHead(503).end())
  await t.rejects(failing.find(), { name: 'ActivationsUnavailable' })
  t.match(failing.reported, [{ endpoint: '/v3/activation/status', reason: 'HTTP 503' }])
  const silent = await openClientOf(t, () => {})
  await t.rejects(silent.find(), { name: 'ActivationsUnavailable' })
  t.match(silent.reported, [{ endpoint: '/v3/activation/status', reason: 'no response within 500 ms' }])
})
