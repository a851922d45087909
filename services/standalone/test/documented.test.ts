// Every example of the API's document, pasted in its order against what `npm start` runs, gives the response that the document
// prints: as far as the phones of its user go, who has one iPhone.
import t, { type Test } from 'tap'
import { BACKENDS, waitFor, type Api } from '@push-server/testing'
import { startDemo } from './_demo.ts'
import { PUSH_EXAMPLES, type Example } from './_documented-pushes.ts'
import { ADMINISTRATION_EXAMPLES, CREATE_APPLICATION, INBOX_EXAMPLES } from './_documented-rest.ts'

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/
const ID = /^(\d+|[0-9a-f-]{36})$/

/** What is another one each time is compared by its form. */
function printed(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => printed(item))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, printed(member, key)]))
  if (name === 'id' || name === 'campaignId') return ID
  if (name === 'version') return /^\d+\.\d+\.\d+/
  return name.startsWith('timestamp') ? TIMESTAMP : value
}

/** Pastes them one after the other; `{id}` is the id in the last response. */
async function paste(t: Test, api: Api, examples: readonly Example[]): Promise<void> {
  let id = ''
  for (const { name, method, path, object, bare, response } of examples) {
    const body = object === undefined ? bare : { requestObject: object }
    const request = body === undefined ? {} : { body: JSON.stringify(body) }
    const given = await api.call(method, path.replace('{id}', id), request)
    t.match(
      [given.status, given.body],
      [200, printed(response)],
      `${name}: ${JSON.stringify(given.body).slice(0, 200)}`,
    )
    id = given.body.responseObject?.id ?? id
  }
}

for (const backend of BACKENDS)
  t.test(`the documented examples on ${backend.name}`, { skip: backend.skip }, async (t) => {
    const { api } = await startDemo(t, backend)
    await paste(t, api, PUSH_EXAMPLES)
    t.match(
      await api.post(CREATE_APPLICATION.path, CREATE_APPLICATION.object),
      { status: 400, body: { responseObject: { message: 'Application already exists' } } },
      'the application of the examples is there from the start',
    )
    await paste(t, api, ADMINISTRATION_EXAMPLES)
    await paste(t, api, INBOX_EXAMPLES)
    // Refused as long as the campaign of the examples runs.
    const remove = () => api.post('/admin/app/remove', CREATE_APPLICATION.object)
    await waitFor('the application to be removed', async () => (await remove()).status === 200)
    await paste(t, api, [CREATE_APPLICATION])
  })
