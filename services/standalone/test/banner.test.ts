// What `npm start` prints leads somewhere: the pages, and the fake of PowerAuth Server with the authority to trust.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { json } from 'node:stream/consumers'
import t from 'tap'
import { startDemo } from './_demo.ts'

const { banner } = await startDemo(t)

t.test('each page is there', async (t) => {
  const urls = banner.match(/^(?:API|API docs|Phones) +http\S+$/gm) ?? []
  t.equal(urls.length, 3)
  for (const line of urls) t.equal((await fetch(line.split(/ +(?=http)/)[1] ?? '')).status, 200, line)
})

t.test('the fake of PowerAuth Server responds to whoever trusts the printed authority', async (t) => {
  const [, url = '', file = ''] = /POWERAUTH_URL=(\S+) POWERAUTH_CA_FILE=(\S+)/.exec(banner) ?? []
  const ca = await readFile(file)
  for (const version of ['v3', 'v4']) {
    const call = request(`${url}/${version}/application/list`, { method: 'POST', ca }).end('{"requestObject":{}}')
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    t.equal(response.statusCode, 200, version)
    t.match(await json(response), { status: 'OK', responseObject: { applications: [] } })
  }
})
