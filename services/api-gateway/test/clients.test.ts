// Clients that are generated from the served description compile strictly, and do what integrators do: register a device, import a file,
// send with a key, read an error.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createClient } from '@hey-api/openapi-ts'
import openapiTS, { astToString } from 'openapi-typescript'
import t, { type Test } from 'tap'
import { makeApiKey } from '@push-server/testing'
import { APP, openGateway } from './_gateway.ts'

t.setTimeout(300_000)
const run = promisify(execFile)

const { api, stack } = await openGateway({ AUTH: 'keys' })
t.teardown(() => stack.close())
const key = await makeApiKey(stack.context, { scopes: ['admin', 'device', 'message', 'campaign', 'inbox'] })
const { body: document } = await api.get('/v3/api-docs')

/** A folder that finds what this package depends on. */
async function makeFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'push-client-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await symlink(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  return folder
}

const OPTIONS = [
  '--strict',
  '--skipLibCheck',
  '--target',
  'es2024',
  '--lib',
  'es2024,dom,dom.iterable',
  '--types',
  'node',
]

/** What the compiler says. */
async function compile(program: string, ...options: string[]): Promise<string> {
  const types = fileURLToPath(new URL('../../../node_modules/@types', import.meta.url))
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const all = [...OPTIONS, '--typeRoots', types, ...options, program]
  const { stdout } = await run(process.execPath, [tsc, ...all]).catch((error: { stdout: string }) => error)
  return stdout
}

/** What a client prints that was given the address and the key. */
const resultOf = async (program: string): Promise<unknown> =>
  JSON.parse((await run(process.execPath, [program, api.url, key])).stdout)

/** As an integrator would write it. What must not compile says so. */
const FETCH_CLIENT = `
import createClient from 'openapi-fetch'
import type { components, paths } from './api.d.ts'

const [, , baseUrl = '', key = ''] = process.argv
const client = createClient<paths>({ baseUrl, headers: { authorization: \`Bearer \${key}\` } })
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

const lines = '{"userId":"imported","activationId":"imported","platform":"ios","token":"ccdd"}\\n'
const imported = await client.PUT('/push/device/import', {
  params: { query: { appId: 'mobile-app' } },
  headers: { 'content-type': 'application/x-ndjson' },
  body: lines,
  bodySerializer: (body) => body,
})
const asOneText = await client.PUT('/push/device/import', {
  params: { query: { appId: 'mobile-app', partial: true } },
  headers: { 'content-type': 'application/x-ndjson' },
  body: lines,
})
const hint: string | undefined = asOneText.error?.responseObject.violations?.[0]?.hint

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

const stranger = createClient<paths>({ baseUrl })
const keyless = await stranger.GET('/admin/app/list')
const code: string | undefined = keyless.error?.responseObject.code

// @ts-expect-error: there is no such path
void (() => client.GET('/inbox/messages/lost'))
// @ts-expect-error: the activation is missing
void (() => client.POST('/push/device/create', { body: { requestObject: { appId: 'a', platform: 'ios', token: 'aa' } } }))
// @ts-expect-error: a badge is a number
const wrong: components['schemas']['MessageBody'] = { badge: [] }

const seen = { total, count: ids?.length, readAt: typeof read.data?.responseObject.timestampRead, size, isRead, text, response,
  registered: registered.data?.status, activation, delivery, added: added.data?.status,
  users: users.data?.responseObject.users, live: live.data?.status, isSent, imported: imported.data?.responseObject.imported, hint, code }
process.stdout.write(JSON.stringify({ ...seen, wrong: typeof wrong }))
`

t.test('openapi-typescript and openapi-fetch', async (t) => {
  const folder = await makeFolder(t)
  const program = join(folder, 'client.ts')
  await writeFile(join(folder, 'api.d.ts'), astToString(await openapiTS(document, { defaultNonNullable: false })))
  await writeFile(program, FETCH_CLIENT)
  const found = await compile(program, '--noEmit', '--module', 'nodenext', '--allowImportingTsExtensions')
  t.equal(found, '', 'it compiles, and what must not does not')
  t.same(await resultOf(program), {
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
    imported: 1,
    hint: 'is a text in JSON that holds objects: send the lines as they are, not as one text in JSON',
    code: 'ERROR_UNAUTHORIZED',
    text: 'Application credentials with entered ID: nowhere does not exist',
    response: 'OK',
    wrong: 'object',
  })
})

const HEY_CLIENT = `
import { client } from './api/client.gen.js'
import { createDevice, describeApplication, importDevices, listDevices, messageStatus, sendMessage } from './api/index.js'
import type { DeliveryState, OkSendMessageResponse, Platform } from './api/index.js'

const [, , baseUrl = '', key = ''] = process.argv
client.setConfig({ baseUrl })
const keyless = await listDevices({ query: { appId: '${APP}', userId: 'u' } })
client.setConfig({ baseUrl, auth: key })

const device = { appId: '${APP}', platform: 'ios', token: 'eeff', activationId: 'hey', userId: 'hey' } as const
const registered = await createDevice({ body: { requestObject: device } })
const lines = '{"userId":"hey","activationId":"hey-2","platform":"android","token":"ab"}\\n'
const imported = await importDevices({ query: { appId: '${APP}' }, body: new Blob([lines]) })
const devices = await listDevices({ query: { appId: '${APP}', userId: 'hey' } })
const platforms: Platform[] | undefined = devices.data?.responseObject.devices.map(({ platform }) => platform)
const message = { userId: 'hey', priority: null, body: { title: 'Hello', badge: 1 } } as const
const sent = await sendMessage({ body: { requestObject: { appId: '${APP}', mode: 'ASYNCHRONOUS', message } } })
const response: OkSendMessageResponse | undefined = sent.data
const [id = ''] = sent.data?.responseObject.messageIds ?? []
const status = await messageStatus({ path: { id } })
const states: DeliveryState[] | undefined = status.data?.responseObject.deliveries.map(({ status: state }) => state)
const refused = await describeApplication({ body: { requestObject: { appId: 'nowhere' } } })
const text: string | undefined = refused.error?.responseObject.message

// @ts-expect-error: the activation is missing
void (() => createDevice({ body: { requestObject: { appId: 'a', platform: 'ios', token: 'aa' } } }))

process.stdout.write(JSON.stringify({
  keyless: keyless.error?.responseObject.code, registered: registered.data?.status, platforms,
  imported: imported.data?.responseObject.imported, sent: response?.status, deliveries: states?.length, text,
}))
`

t.test('@hey-api/openapi-ts, which applies every scheme that a key may be sent by', async (t) => {
  const folder = await makeFolder(t)
  await writeFile(join(folder, 'client.ts'), HEY_CLIENT)
  await createClient({
    input: document,
    output: { path: join(folder, 'api'), module: { extension: '.js' } },
    plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
    logs: { level: 'silent', file: false },
  })
  const module = ['--module', 'esnext', '--moduleResolution', 'bundler', '--outDir', join(folder, 'built')]
  t.equal(await compile(join(folder, 'client.ts'), ...module), '', 'it compiles, and what must not does not')
  t.same(await resultOf(join(folder, 'built/client.js')), {
    keyless: 'ERROR_UNAUTHORIZED',
    registered: 'OK',
    platforms: ['android', 'ios'],
    imported: 1,
    sent: 'OK',
    deliveries: 2,
    text: 'Application credentials with entered ID: nowhere does not exist',
  })
})

t.test('the bytes of an import may be called that, and only those of an import', async (t) => {
  const call = (path: string, body: string) =>
    fetch(`${api.url}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/octet-stream', authorization: `Bearer ${key}` },
    })
  const line = { userId: 'bytes', activationId: 'bytes', platform: 'ios', token: 'ab12' }
  t.equal((await call(`/push/device/import?appId=${APP}`, JSON.stringify(line))).status, 200)
  t.equal((await call('/push/message/send', '{}')).status, 415)
  t.equal((await call('/push/device/status/update', '{}')).status, 415)
})

t.test('a file that was made one text in JSON, however long, is refused with a hint', async (t) => {
  const lineOf = (index: number) =>
    `{"userId":"user-${index}","activationId":"a-${index}","platform":"ios","token":"ab"}`
  const hint = 'is a text in JSON that holds objects: send the lines as they are, not as one text in JSON'
  const { body: created } = await api.call('POST', '/push/campaign/create', {
    body: JSON.stringify({ requestObject: { appId: APP, message: { title: 'Hello' } } }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
  })
  const paths = [`/push/device/import?appId=${APP}&`, `/push/campaign/${created.responseObject.id}/user/import?`]
  for (const path of paths)
    for (const count of [1, 2, 2_000]) {
      const file = Array.from({ length: count }, (_, index) => lineOf(index)).join('\n')
      const { body } = await api.call('PUT', `${path}partial=true`, {
        body: `${JSON.stringify(file)}\n${count === 1 ? '' : lineOf(0)}`,
        headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${key}` },
      })
      const [error] = body.responseObject.errors ?? body.responseObject.violations
      t.match(error, { hint }, `${path} ${count}`)
    }
})
