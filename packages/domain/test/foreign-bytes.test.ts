// Bytes of others that become text: keys as user and password, responses of PowerAuth Server.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { generateKey, presentedKey } from '../src/access/key-text.ts'
import { openPowerAuth } from '../src/activations/power-auth.ts'

t.test('a key is read from the bytes of Basic as they are', async (t) => {
  const { id, secret } = generateKey()
  const basic = (bytes: Buffer) => presentedKey(`Basic ${bytes.toString('base64')}`)
  t.same(basic(Buffer.from(`${id}:${secret}`)), { id, secret })
  for (const odd of ['\u00e9', '\ufffd', '\0', '\u00ef\u00bb\u00bf'])
    for (const text of [`${odd}${id}:${secret}`, `${id}${odd}:${secret}`, `${id}:${secret}${odd}`]) {
      t.equal(basic(Buffer.from(text, 'latin1')), undefined)
      t.equal(basic(Buffer.from(text)), undefined)
    }
})

/** A PowerAuth Server whose every response has these bytes. */
async function askPowerAuth(t: Test, bytes: Buffer) {
  const server = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json').end(bytes)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const powerAuth = openPowerAuth({
    url: `http://127.0.0.1:${port}/rest`,
    api: 'v4',
    believes: false,
    clientToken: 'token',
    clientSecret: 'secret',
    connectTimeoutMs: 60_000,
    responseTimeoutMs: 60_000,
    connections: 1,
    acceptInvalidCertificate: false,
  })
  t.teardown(async () => {
    await powerAuth.close()
    server.close()
  })
  return powerAuth.find({ activationIds: ['a'], caller: { id: 'correlation', log: { warn() {} } } })
}

const statusOf = (userId: string) =>
  `{"status":"OK","responseObject":{"activationStatus":"ACTIVE","userId":"${userId}","applicationId":"app"}}`

t.test('a user id of PowerAuth Server arrives as it was sent, or is refused', async (t) => {
  for (const [userId, sent] of [
    ['André', 'André'],
    ['André', 'Andr\\u00e9'],
    ['Andr\ufffd', 'Andr\ufffd'],
  ] as const)
    t.match(await askPowerAuth(t, Buffer.from(statusOf(sent))), [{ userId }])
  t.match(await askPowerAuth(t, Buffer.from(`\ufeff${statusOf('marked')}`)), [{ userId: 'marked' }])
  await t.rejects(askPowerAuth(t, Buffer.from(statusOf('Andr\u00e9'), 'latin1')), /not UTF-8/)
  await t.rejects(askPowerAuth(t, Buffer.from(statusOf('Andr\\ud800'))), /well-formed/)
  await t.rejects(askPowerAuth(t, Buffer.from(statusOf('Andr\\u0000'))), /well-formed/)
})
