// The description of the API and the API agree: every route is described, every response has the described format, and a
// client generated from the description speaks with the running gateway.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import openapiTS, { astToString } from 'openapi-typescript'
import t from 'tap'
import { Compile } from 'typebox/schema'
import { parse as parseYaml } from 'yaml'
import { generateServiceAccount } from '@push-server/testing'
import {
  APP,
  base64,
  BATCH,
  CREATE,
  credentials,
  device,
  json,
  message,
  newToken,
  openGateway,
  SEND,
} from './_gateway.ts'

const run = promisify(execFile)

const gateway = await openGateway()
t.teardown(() => gateway.stack.close())
const { api, stack, makeApplication } = gateway
const { body: document } = await api.get('/v3/api-docs')

t.test('nothing that may be left out has an example, which the console would send with every request', async (t) => {
  const optional = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, { parameters = [] }]) =>
      parameters.filter(({ required }) => !required).map((parameter) => ({ of: `${method} ${path}`, parameter })),
    ),
  )
  t.ok(optional.length > 20, `${optional.length} parameters`)
  for (const { of, parameter } of optional)
    t.notMatch(JSON.stringify(parameter), /"examples?":/, `${of} ${parameter.name}`)
  const [key] = optional.filter(({ parameter }) => parameter.name === 'idempotency-key')
  t.match(key?.parameter.description, /For example `payment-4711`\.$/)
})

t.test('the description as YAML, and the console where that of the reference stands', async (t) => {
  const response = await fetch(`${api.url}/v3/api-docs.yaml`)
  t.match(response.headers.get('content-type'), /^application\/yaml/)
  t.same(parseYaml(await response.text()), document)
  const page = await fetch(`${api.url}/swagger-ui/index.html`)
  t.equal(page.status, 200)
  t.match(await page.text(), /swagger-ui/)
})

interface Operation {
  operationId: string
  summary: string
  tags: string[]
  parameters?: { name: string; required?: boolean; description?: string; schema: object }[]
  requestBody?: { required: boolean; content: Record<string, Media> }
  responses: Record<string, { content: Record<string, Media> }>
}
interface Media {
  schema: object
  example?: unknown
  examples?: Record<string, { value: unknown }>
}
const operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
)
function operationOf(method: string, concrete: string): Operation | undefined {
  const [path = ''] = concrete.split('?')
  const candidates = operations.filter((each) => each.method === method)
  const described =
    candidates.find((each) => each.path === path) ?? candidates.find((each) => standsFor(each.path, path))
  return described?.operation
}
/** A segment in braces stands for any. */
function standsFor(described: string, path: string): boolean {
  const [pattern, parts] = [described.split('/'), path.split('/')]
  return (
    pattern.length === parts.length && pattern.every((part, index) => part.startsWith('{') || part === parts[index])
  )
}

/** Schemas refer to each other from the root of the document. */
const check = (schema: object, value: unknown) =>
  Compile({ ...schema, components: document.components }).Errors(value)[1]

/** The examples of the request, of the response and of both kinds of errors, each with the schema that it is to have. */
function examplesOf({ requestBody, responses }: Operation) {
  const bodies: [where: string, content: Record<string, Media> | undefined][] = [
    ...(requestBody ? [['the request', requestBody.content] as [string, Record<string, Media>]] : []),
    ...['200', '4XX', '5XX'].map((status): [string, Record<string, Media> | undefined] => [
      status,
      responses[status]?.content,
    ]),
  ]
  return bodies.map(([where, content]) => {
    const {
      schema = {},
      example,
      examples = {},
    } = content?.['application/json'] ?? content?.['application/x-ndjson'] ?? {}
    const values = [example, ...Object.values(examples).map(({ value }) => value)].filter(
      (value) => value !== undefined,
    )
    return { where, schema, values }
  })
}

t.test('every operation says what it does, takes and returns', async (t) => {
  t.match(document.openapi, /^3\.1\./)
  t.same((await api.get('/v3/api-docs/push')).body, document, 'where clients of the reference server expect it')
  const tags = new Set(document.tags.map(({ name }: { name: string }) => name))
  for (const { method, path, operation } of operations) {
    const name = `${method} ${path}`
    t.ok(operation.summary, `${name} has a summary`)
    t.ok(
      operation.tags.length === 1 && operation.tags.every((tag) => tags.has(tag)),
      `${name} has a tag that is explained`,
    )
    t.match(operation.operationId, /^[a-z][A-Za-z]+$/, name)
    for (const { where, schema, values } of examplesOf(operation)) {
      t.ok(values.length > 0, `${name}: an example of ${where}`)
      for (const value of values) t.same(check(schema, value), [], `${name}: the example of ${where} is one`)
    }
  }
  const ids = operations.map(({ operation }) => operation.operationId)
  t.equal(new Set(ids).size, ids.length, 'no operation id stands twice')
  for (const [id, method, path] of [
    ['updateIos', 'PUT', '/admin/app/ios/update'],
    ['updateIosByPost', 'POST', '/admin/app/ios/update'],
    ['removeHms', 'DELETE', '/admin/app/hms'],
    ['readInbox', 'PUT', '/inbox/messages/read-all'],
    ['readInboxByPost', 'POST', '/inbox/messages/read-all'],
  ] as const)
    t.equal(operationOf(method, path)?.operationId, id)
})

t.test('schemas have names, are kept once, and disclose nothing internal', async (t) => {
  const { schemas } = document.components
  for (const name of ['MessageBody', 'Tally', 'ErrorResponse', 'InboxMessage', 'ApplicationDetail', 'UpdateIosRequest'])
    t.equal(schemas[name]?.title, name)
  t.notMatch(JSON.stringify(document), /"x-|~kind/)
  t.same(schemas.CreateDeviceRequest.required.toSorted(), ['activationId', 'appId', 'platform', 'token'])
  t.same(operationOf('POST', CREATE)?.requestBody?.required, true)
})

t.test('every path and method that exists is described, and the other way round', async (t) => {
  for (const { method, path } of operations) {
    const concrete = path.replaceAll(/\{\w+\}/g, path.startsWith('/push/message') ? randomUUID() : '1')
    const { status, body } = await api.call(method, concrete)
    const isNowhere = status === 404 && body.responseObject.message === 'There is nothing at this path'
    t.notOk(isNowhere || status === 405, `${method} ${path} is there`)
    const { status: other, headers } = await api.call('PATCH', concrete)
    const allowed = headers.get('allow')?.split(', ').toSorted()
    const described = operations.filter((each) => each.path === path).map((each) => each.method)
    t.same([other, allowed], [405, described.toSorted()], `${path} takes what is described`)
  }
})

t.test('responses have the format that is described', async (t) => {
  const appId = await makeApplication()
  const userId = randomUUID()
  const inbox = { userId, type: 'text', subject: 's', summary: 's', body: 'b', applications: [APP] }
  const { body: posted } = await api.post('/inbox/messages', inbox)
  const { id } = posted.responseObject
  const fcm = { appId, projectId: 'test-project', privateKeyBase64: base64(generateServiceAccount()) }
  const hms = { appId, projectId: 'p', clientId: '1', clientSecret: 's' }
  await stack.register({ userId, token: newToken() })
  const several = { appId: APP, platform: 'ios', token: newToken(), userId, activationIds: [randomUUID()] }
  const { body: campaign } = await api.post('/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
  const ofCampaign = `/push/campaign/${campaign.responseObject.id}`
  const { body: sent } = await api.post(SEND, { appId: APP, message: message({ userId }), mode: 'ASYNCHRONOUS' })
  const calls: [method: string, path: string, object?: unknown][] = [
    ['GET', '/push/service/status'],
    ['GET', '/admin/app/list'],
    ['POST', '/admin/app/create', { appId: randomUUID() }],
    ['PUT', '/admin/app/apns', { appId, ...credentials({ environment: 'production' }) }],
    ['POST', '/admin/app/fcm', fcm],
    ['PUT', '/admin/app/huawei/update', hms],
    ['POST', '/admin/app/detail', { appId, includeIos: true, includeFcm: true, includeHms: true }],
    ['DELETE', `/admin/app/apns?appId=${appId}`],
    ['POST', '/admin/app/android/remove', { appId }],
    ['POST', CREATE, device({ token: newToken(), activationId: randomUUID() })],
    ['POST', '/push/device/create/multi', several],
    ['GET', `/push/device/list?appId=${APP}&userId=${userId}`],
    ['POST', '/push/device/remove', { appId: APP, token: newToken() }],
    ['GET', `/push/message/${sent.responseObject.messageIds[0]}`],
    ['GET', `/push/message/list?appId=${APP}&userId=${userId}`],
    ['GET', `/push/message/waiting?appId=${APP}`],
    ['GET', `/push/message/failed?appId=${APP}`],
    ['DELETE', `/push/message/${sent.responseObject.messageIds[0]}`],
    ['POST', `/push/message/${sent.responseObject.messageIds[0]}/resend`],
    ['GET', `/push/message/failed?appId=${APP}`],
    ['POST', '/push/campaign/create', { appId: APP, message: { title: 'Hello' } }],
    ['PUT', `${ofCampaign}/user/add`, [userId, 'nobody']],
    ['GET', `${ofCampaign}/user/list?size=1`],
    ['DELETE', `${ofCampaign}/user/delete`, ['nobody']],
    ['POST', ofCampaign.replace('campaign', 'campaign/send/test'), { userId }],
    ['POST', `${ofCampaign}/schedule`, { sendAt: '2100-01-01T00:00:00Z' }],
    ['POST', `${ofCampaign}/unschedule`],
    ['POST', ofCampaign.replace('campaign', 'campaign/send/live')],
    ['POST', `${ofCampaign}/pause`],
    ['POST', `${ofCampaign}/resume`],
    ['GET', `${ofCampaign}/detail`],
    ['GET', `${ofCampaign}/audience?resend=unreached`],
    ['GET', `${ofCampaign}/progress`],
    ['GET', `${ofCampaign}/failures`],
    ['POST', `${ofCampaign}/cancel`],
    ['GET', '/push/campaign/list?size=10'],
    ['DELETE', `${ofCampaign}/delete`],
    ['POST', SEND, { appId: APP, message: message({ userId }) }],
    ['POST', BATCH, { appId: APP, mode: 'ASYNCHRONOUS', batch: [message()] }],
    ['POST', '/inbox/messages', inbox],
    ['GET', `/inbox/messages/list?userId=${userId}&applications=${APP}`],
    ['GET', `/inbox/messages/count?userId=${userId}&appId=${APP}`],
    ['GET', `/inbox/messages/detail?id=${id}`],
    ['PUT', `/inbox/messages/read?userId=${userId}&messageId=${id}`],
    ['POST', '/inbox/messages/read', { inboxId: id }],
    ['PUT', `/inbox/messages/read-all?userId=${userId}&appId=${APP}`],
    ['POST', '/inbox/messages/read-all', { userId, appId: APP }],
    ['DELETE', `/inbox/messages?userId=${userId}&appId=${APP}`],
    ['GET', `/push/device/history?appId=${APP}&userId=${userId}`],
    ['POST', '/admin/app/remove', { appId }],
  ]
  for (const [method, path, object] of calls) {
    const operation = operationOf(method, path)
    const response = await api.call(method, path, object === undefined ? {} : json({ requestObject: object }))
    const schema = operation?.responses['200']?.content['application/json']?.schema
    t.equal(response.status, 200, `${method} ${path}: ${JSON.stringify(response.body)}`)
    t.same(check(schema ?? { not: {} }, response.body), [], `${method} ${path} responds as described`)
    const [bare = path] = path.split('?')
    const refusal = await api.call(method, bare, method === 'GET' ? {} : json({ requestObject: { appId: {} } }))
    if (refusal.status === 200) continue
    const errorSchema = operation?.responses['4XX']?.content['application/json']?.schema
    t.same(check(errorSchema ?? { not: {} }, refusal.body), [], `${method} ${path} refuses as described`)
  }
})

/** As an integrator would write it. What must not compile says so. */
const CLIENT = `
import createClient from 'openapi-fetch'
import type { components, paths } from './api.d.ts'

const client = createClient<paths>({ baseUrl: process.argv[2] ?? '' })
const body: components['schemas']['MessageBody'] = { title: 'Hello', badge: 1, extras: { any: ['data'] } }

const sent = await client.POST('/push/message/send', {
  body: { requestObject: { appId: 'mobile-app', message: { userId: 'nobody', body } } },
})
const total: number | undefined = sent.data?.responseObject.result?.ios.total
const ids: string[] | undefined = sent.data?.responseObject.messageIds

const posted = await client.POST('/inbox/messages', {
  body: { requestObject: { userId: 'reader', type: 'text', subject: 's', summary: 's', body: 'b', applications: ['mobile-app'] } },
})
const messageId: string = posted.data?.responseObject.id ?? ''
const read = await client.PUT('/inbox/messages/read', { params: { query: { userId: 'reader', messageId } } })
const listed = await client.GET('/inbox/messages/list', {
  params: { query: { userId: 'reader', applications: 'mobile-app', onlyUnread: false, size: 10 } },
})
const size: number | undefined = listed.data?.size
const isRead: boolean | undefined = listed.data?.responseObject[0]?.read

const message = { userId: 'owner', body }
const registered = await client.POST('/push/device/create', {
  body: { requestObject: { appId: 'mobile-app', platform: 'ios', token: 'aabb', activationId: 'generated', userId: 'owner' } },
})
const devices = await client.GET('/push/device/list', { params: { query: { appId: 'mobile-app', userId: 'owner' } } })
const activation: string | undefined = devices.data?.responseObject.devices[0]?.activationId
const batch = await client.POST('/push/message/batch/send', {
  params: { header: { 'idempotency-key': 'generated' } },
  body: { requestObject: { appId: 'mobile-app', mode: 'ASYNCHRONOUS', batch: [message] } },
})
const [first = ''] = batch.data?.responseObject.messageIds ?? []
const status = await client.GET('/push/message/{id}', { params: { path: { id: first } } })
const delivery: 'pending' | 'sent' | 'failed' | 'skipped' | undefined = status.data?.responseObject.deliveries[0]?.status

const made = await client.POST('/push/campaign/create', { body: { requestObject: { appId: 'mobile-app', message: body } } })
const path = { id: made.data?.responseObject.id ?? '' }
const added = await client.PUT('/push/campaign/{id}/user/add', { params: { path }, body: { requestObject: ['owner'] } })
const users = await client.GET('/push/campaign/{id}/user/list', { params: { path, query: { size: 5 } } })
const live = await client.POST('/push/campaign/send/live/{id}', { params: { path, query: { rate: 100 } } })
const campaign = await client.GET('/push/campaign/{id}/detail', { params: { path } })
const isSent: boolean | undefined = campaign.data?.responseObject.sent

const refused = await client.POST('/admin/app/detail', { body: { requestObject: { appId: 'nowhere', includeIos: null } } })
const text: string | undefined = refused.error?.responseObject.message
const removed = await client.DELETE('/admin/app/apns', { params: { query: { appId: 'mobile-app' } } })
const response: 'OK' | undefined = removed.data?.status

// @ts-expect-error: there is no such path
void (() => client.GET('/inbox/messages/lost'))
// @ts-expect-error: the activation is missing
void (() => client.POST('/push/device/create', { body: { requestObject: { appId: 'a', platform: 'ios', token: 'aa' } } }))
// @ts-expect-error: a badge is a number
const wrong: components['schemas']['MessageBody'] = { badge: [] }

const seen = { total, count: ids?.length, readAt: typeof read.data?.responseObject.timestampRead, size, isRead, text, response,
  registered: registered.data?.status, activation, delivery, added: added.data?.status,
  users: users.data?.responseObject.users, live: live.data?.status, isSent }
process.stdout.write(JSON.stringify({ ...seen, wrong: typeof wrong }))
`

t.test('a client generated from the description compiles and gets what its types say', async (t) => {
  const room = fileURLToPath(new URL('../node_modules', import.meta.url))
  const dir = await mkdtemp(join(tmpdir(), 'push-client-'))
  t.teardown(() => rm(dir, { recursive: true }))
  await symlink(room, join(dir, 'node_modules'))
  await writeFile(join(dir, 'package.json'), '{"type":"module"}')
  await writeFile(join(dir, 'api.d.ts'), astToString(await openapiTS(document)))
  await writeFile(join(dir, 'client.ts'), CLIENT)
  const options =
    '--noEmit --strict --skipLibCheck --module nodenext --target es2024 --allowImportingTsExtensions --lib es2024,dom'
  const types = [
    '--typeRoots',
    fileURLToPath(new URL('../../../node_modules/@types', import.meta.url)),
    '--types',
    'node',
  ]
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const compiled = await run(process.execPath, [tsc, ...options.split(' '), ...types, join(dir, 'client.ts')]).catch(
    (error: { stdout: string }) => error,
  )
  t.equal(compiled.stdout, '', 'it compiles, and what must not does not')
  const { stdout } = await run(process.execPath, [join(dir, 'client.ts'), api.url])
  t.same(JSON.parse(stdout), {
    total: 0,
    count: 1,
    readAt: 'string',
    size: 10,
    isRead: true,
    registered: 'OK',
    activation: 'generated',
    delivery: 'pending',
    added: 'OK',
    users: ['owner'],
    live: 'OK',
    isSent: false,
    text: 'Application credentials with entered ID: nowhere does not exist',
    response: 'OK',
    wrong: 'object',
  })
})
