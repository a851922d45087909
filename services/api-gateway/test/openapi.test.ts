// The description of the API and the API agree: every route is described, every response has the described format, and every example is
// accepted as it stands. Clients that are generated from it: `clients.test.ts`.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { Compile } from 'typebox/schema'
import { parse as parseYaml } from 'yaml'
import { generateServiceAccount } from '@push-server/testing'
import { finishDocument } from '../src/openapi/document.ts'
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
  PRIMITIVES,
  SEND,
} from './_gateway.ts'

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

t.test('R2-11 no response may have a null where the Java client of 2.2 reads a primitive', async (t) => {
  const found = new Set<string>()
  const nullable: string[] = []
  const visit = (schema: Schema, of: string): void => {
    const { properties = {}, items, anyOf = [] } = resolved(schema)
    for (const [name, member] of Object.entries(properties)) {
      if (PRIMITIVES.has(name)) {
        found.add(name)
        const { type, anyOf: kinds = [] } = resolved(member)
        if ([{ type }, ...kinds].some((kind) => [kind.type].flat().includes('null'))) nullable.push(`${of} ${name}`)
      }
      visit(member, of)
    }
    for (const each of [...(items ? [items] : []), ...anyOf]) visit(each, of)
  }
  for (const { method, path, operation } of operations)
    for (const [status, { content }] of Object.entries(operation.responses))
      for (const { schema } of Object.values(content ?? {})) visit(schema, `${method} ${path} ${status}`)
  t.same([...found].toSorted(), [...PRIMITIVES].toSorted(), 'each of them was found')
  t.same(nullable, [])
})

interface Schema {
  $ref?: string
  type?: string | string[]
  properties?: Record<string, Schema>
  items?: Schema
  anyOf?: Schema[]
}

const resolved = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : document.components.schemas[schema.$ref.split('/').at(-1) ?? '']

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
  parameters?: {
    name: string
    in: string
    required?: boolean
    description?: string
    schema: { default?: unknown }
    example?: unknown
  }[]
  requestBody?: { required: boolean; content: Record<string, Media> }
  responses: Record<string, Described>
}
interface Described {
  $ref?: string
  description: string
  headers: Record<string, { $ref: string }>
  content: Record<string, Media>
}
interface ApiDescription {
  servers: { url: string }[]
  components: { schemas: Record<string, { properties: Record<string, { $ref?: string }> }> }
  paths: Record<string, Record<string, Operation>>
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

/** Errors are kept once. */
function responseOf(operation: Operation | undefined, status: string): Described | undefined {
  const response = operation?.responses[status]
  const name = response?.$ref?.split('/').at(-1)
  return name === undefined ? response : document.components.responses[name]
}

/** Schemas refer to each other from the root of the document. */
const check = (schema: object, value: unknown) =>
  Compile({ ...schema, components: document.components }).Errors(value)[1]

/** The examples of the request and of every response, each with the schema that it is to have. */
function examplesOf(operation: Operation) {
  const { requestBody, responses } = operation
  const bodies: [where: string, content: Record<string, Media> | undefined][] = [
    ...(requestBody ? [['the request', requestBody.content] as [string, Record<string, Media>]] : []),
    ...Object.keys(responses).map((status): [string, Record<string, Media> | undefined] => [
      status,
      responseOf(operation, status)?.content,
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

t.test('the base and the form of the request that reads it decide which description it gets', async (t) => {
  const read = async (path: string, form?: string) => {
    const headers: Record<string, string> = form === undefined ? {} : { 'x-push-compatibility': form }
    const response = await fetch(`${api.url}${path}`, { headers })
    const { servers, components, paths } = (await response.json()) as ApiDescription
    const { headers: sent, content } = paths['/push/message/send']?.['post']?.responses['200'] ?? {}
    const name = JSON.stringify(content).match(/schemas\/(\w+)"/)?.[1] ?? ''
    const inner = components.schemas[name]?.properties['responseObject']?.$ref?.split('/').at(-1) ?? ''
    const members = Object.keys(components.schemas[inner]?.properties ?? {})
    return { url: servers[0]?.url, members, ids: Object.keys(sent ?? {}).filter((header) => /ids/i.test(header)) }
  }
  const versions = { '1.9': ['ios', 'android', 'huawei'], '1.10': ['apns', 'fcm', 'hms'] }
  const inVersion = (version: keyof typeof versions) => ({
    members: ['mode', ...versions[version]],
    ids: ['X-Message-Ids', 'X-Message-Ids-Omitted'],
  })
  const full = await read('/v3/api-docs')
  t.match(full, { url: '/', ids: [] })
  t.ok(['messageIds', 'result', 'ios', 'apns'].every((name) => full.members.includes(name)))
  const base = '/powerauth-push-server'
  for (const path of ['/v3/api-docs', '/v3/api-docs/push', '/swagger-ui/json']) {
    t.same(await read(path), full, path)
    t.same(await read(`${base}${path}`), { url: base, ...inVersion('1.10') }, `${base}${path}`)
    t.same(await read(path, '1.9'), { url: '/', ...inVersion('1.9') }, `${path} by the header`)
    t.same(await read(`${base}${path}`, 'all'), { ...full, url: base }, `${base}${path} by the header`)
  }
})

t.test('leaving a parameter out is the same as sending its default', async (t) => {
  for (let made = 0; made < 25; made += 1)
    await api.post('/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
  const { body: sent } = await api.post(SEND, { appId: APP, message: message(), mode: 'ASYNCHRONOUS' })
  const given: Record<string, string> = { appId: APP, applications: APP, userId: 'nobody' }
  let compared = 0
  for (const { method, path, operation } of operations) {
    const id = path.startsWith('/push/message') ? sent.responseObject.messageIds[0] : '1'
    const url = path.replaceAll('{id}', id)
    const parameters = operation.parameters?.filter((each) => each.in === 'query') ?? []
    const required = parameters.filter((each) => each.required).map(({ name }) => [name, given[name] ?? name])
    const defaults = parameters.filter(({ schema }) => schema.default !== undefined)
    if (method !== 'GET' || defaults.length === 0) continue
    const read = async (more: string[][]) =>
      (await api.get(`${url}?${new URLSearchParams([...required, ...more] as [string, string][]).toString()}`)).body
    const without = await read([])
    t.equal(without.status, 'OK', path)
    for (const { name, schema } of defaults) {
      t.same(await read([[name, String(schema.default)]]), without, `${path} ${name}=${String(schema.default)}`)
      compared += 1
    }
  }
  t.ok(compared > 12, `${compared} defaults`)
  const paged = operationOf('GET', '/push/campaign/list')?.parameters?.filter(({ name }) => /^(page|size)$/.test(name))
  t.same(
    paged?.map(({ schema }) => schema.default),
    [undefined, undefined],
    'all campaigns, unless the request asks for pages',
  )
  for (const { description } of paged ?? [])
    t.match(description, /^Number of .* Never refused: a value that is no number/)
})

t.test('what requests name has its bounds', async (t) => {
  const { schemas } = document.components
  const { sendAt } = schemas.Message.properties
  const [key] = operationOf('POST', SEND)?.parameters ?? []
  const [id] = operationOf('GET', `/push/message/${randomUUID()}`)?.parameters ?? []
  t.match(schemas.Message.properties.userId, { minLength: 1, maxLength: 255 })
  t.match(schemas.TestCampaignRequest.properties.userId, { minLength: 1, maxLength: 255 })
  t.match(schemas.SendBatchRequest.properties.batch, { minItems: 1, maxItems: 3 }, 'BATCH_SIZE')
  t.match(sendAt.anyOf[0], { maxLength: 64, format: 'date-time' })
  t.match(key?.schema, { minLength: 1, maxLength: 255, pattern: '^[ -~]{1,255}$' })
  t.match(id?.schema, { format: 'uuid' })
  t.match(schemas.SendMessageResponse.properties.messageIds.items, { format: 'uuid' })
})

t.test('an operation names its id itself, as one made of its path would change with it', async (t) => {
  const options = { form: 'all', examples: {} } as const
  const described = (operations: object) => ({ paths: { '/push/device/import': operations } }) as object
  t.throws(() => finishDocument(described({ put: {} }), options), /put \/push\/device\/import has no operationId/)
  const { paths } = finishDocument(described({ put: { operationId: 'a' }, post: { operationId: 'a' } }), options) as {
    paths: Record<string, Record<string, Operation>>
  }
  t.same(
    Object.values(paths['/push/device/import'] ?? {}).map(({ operationId }) => operationId),
    ['a', 'aByPost'],
  )
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
    const schema = responseOf(operation, '200')?.content['application/json']?.schema
    t.equal(response.status, 200, `${method} ${path}: ${JSON.stringify(response.body)}`)
    t.same(check(schema ?? { not: {} }, response.body), [], `${method} ${path} responds as described`)
    const [bare = path] = path.split('?')
    const refusal = await api.call(method, bare, method === 'GET' ? {} : json({ requestObject: { appId: {} } }))
    if (refusal.status === 200) continue
    const errorSchema = responseOf(operation, String(refusal.status))?.content['application/json']?.schema
    t.same(check(errorSchema ?? { not: {} }, refusal.body), [], `${method} ${path} refuses as described`)
  }
})

/** Without a worker their response takes as long as they wait for one. They take what every request with an application alone does. */
const WAITS_FOR_A_WORKER = /^check/
/** What the state of the server refuses, whatever the example. */
const REFUSED: Readonly<Record<string, string>> = { createApplication: 'Application already exists' }

// The last test, as its last request removes the application.
t.test('every example is accepted as it stands', async (t) => {
  const userId = 'user-1'
  await stack.register({ userId, token: newToken() })
  const inbox = { userId, type: 'text', subject: 's', summary: 's', body: 'b', applications: [APP] }
  const { body: posted } = await api.post('/inbox/messages', inbox)
  // What they remove is what the others need.
  const REMOVING = ['deleteInboxMessage', 'deleteInbox', 'removeApplication']
  const last = ({ operation }: (typeof operations)[number]) => REMOVING.indexOf(operation.operationId)
  let pasted = 0
  for (const { method, path, operation } of operations.toSorted((one, other) => last(one) - last(other))) {
    const { operationId, parameters = [], requestBody } = operation
    const required = parameters.filter((each) => each.in === 'query' && each.required)
    if (WAITS_FOR_A_WORKER.test(operationId) || (!requestBody && required.length === 0)) continue
    const { body: campaign } = await api.post('/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
    const query = new URLSearchParams(required.map(({ name, example }): [string, string] => [name, String(example)]))
    const url = `${path.replaceAll('{id}', campaign.responseObject.id)}?${query.toString()}`
    for (const [type, { example }] of Object.entries(requestBody?.content ?? { none: { example: undefined } })) {
      const text = typeof example === 'string' ? example : (JSON.stringify(example) ?? '')
      // Nobody can know the identifier of a message before it is there.
      const body = text.replaceAll(/"inboxId":"[^"]*"/g, `"inboxId":"${posted.responseObject.id}"`)
      const response = await api.call(method, url, requestBody ? { body, headers: { 'content-type': type } } : {})
      const expected = REFUSED[operationId]
      pasted += 1
      // A campaign that is being sent would keep its application.
      for (const end of ['cancel', 'unschedule'])
        await api.call('POST', `/push/campaign/${campaign.responseObject.id}/${end}`)
      if (expected === undefined) t.equal(response.status, 200, `${operationId}: ${JSON.stringify(response.body)}`)
      else t.equal(response.body.responseObject.message, expected, operationId)
    }
  }
  t.ok(pasted > 50, `${pasted} examples`)
})
