// The bodies of `npm run bench:bodies`: that every operation is walked, and that each body gets as far as it is meant to.
import t from 'tap'
import { operationsOf, type ApiDocument } from '@push-server/testing'
import { openApp } from '../src/bodies/app.ts'
import { bodiesOf } from '../src/bodies/bodies.ts'

const app = await openApp()
t.teardown(() => app.close())
const operations = operationsOf((await app.inject('/v3/api-docs')).json<ApiDocument>()).filter(({ body }) => body)

t.test('every operation that takes a body is sent bodies in order and bodies that are not', async (t) => {
  t.ok(operations.length >= 34, `${operations.length} operations`)
  for (const operation of operations) {
    const { method, path, body } = operation
    const statuses: Record<string, number> = {}
    for (const { what, bytes } of bodiesOf(operation, { limit: 262_144 })) {
      t.ok(bytes.length <= 262_144, `${bytes.length} bytes`)
      const { statusCode } = await app.inject({
        method: method as 'POST',
        url: `${path.replaceAll(/\{(\w+)\}/g, '1')}?appId=mobile-app`,
        headers: { 'content-type': body?.type ?? '' },
        payload: bytes,
      })
      statuses[what] = statusCode
    }
    const name = `${method} ${path}`
    // 500: it has come as far as the store, which is not there.
    if (body?.type !== 'application/json') {
      const { 'lines in order': good, ...others } = statuses
      // 413: there are more lines than the operation takes.
      t.ok([200, 413, 500].includes(good ?? 0), `${name}: ${good}`)
      t.same(new Set(Object.values(others)), new Set([400]), 'of files without a good line nothing is kept')
    } else
      t.match(statuses, { 'one long text': Number, 'too many objects': 413, 'too deep': 413, 'not UTF-8': 400 }, name)
  }
})
