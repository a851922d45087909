// The client of the target: errors of lines in either format of a refusal, calls that are made again, and what ends the command.
import { createServer } from 'node:http'
import t from 'tap'
import { createTarget } from '../src/target.ts'

interface Scripted {
  status: number
  object?: object
}

/** Responds with one after the other; undefined closes the connection without a response. */
async function openServer(script: (Scripted | undefined)[]) {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    const next = script.shift()
    request.resume().on('end', () => {
      if (!next) return void request.socket.destroy()
      response.writeHead(next.status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ status: 'x', responseObject: next.object }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  t.teardown(() => server.closeAllConnections())
  const { port } = server.address() as { port: number }
  const delay = (attempt: number) => (attempt < 4 ? 1 : undefined)
  return { requests, target: createTarget({ base: `http://127.0.0.1:${port}`, key: 'id.secret', delay }) }
}

const RESULT = { imported: 1, updated: 0, kept: 0, failed: 0, errors: [] }
const NOTHING = 'Nothing of the file was kept: 2 of its lines have errors'

t.test('a file without a good line is no end, whether violations are listed or not', async (t) => {
  const violations = [{ fieldName: 'line 2: token', hint: 'must be hexadecimal on ios' }]
  const { target } = await openServer([
    { status: 400, object: { message: NOTHING, violations } },
    { status: 400, object: { message: `${NOTHING}: line 2: token must be hexadecimal on ios` } },
  ])
  const errors = [{ line: 2, fieldName: 'token', hint: 'must be hexadecimal on ios' }]
  for (const dryRun of [true, false])
    t.same(await target.send('/x', [{}, {}], { dryRun }), { ...RESULT, imported: 0, failed: 2, errors })
})

t.test('a call without a response, and one with 5xx or 429, is made again; then it is given up', async (t) => {
  const { target, requests } = await openServer([undefined, { status: 429 }, { status: 200, object: RESULT }])
  t.same(await target.send('/x', [{}], { dryRun: false }), RESULT)
  t.same(
    requests,
    Array.from({ length: 3 }, () => 'PUT /x?partial=true&dryRun=false Bearer id.secret'),
  )
  const failing = await openServer(Array.from({ length: 4 }, () => ({ status: 503, object: { message: 'stopping' } })))
  await t.rejects(failing.target.send('/x', [{}], { dryRun: false }), { message: /503: stopping.*call this again/ })
  const closing = await openServer([])
  await t.rejects(closing.target.get('/x'), { message: /does not respond/ })
  t.equal(closing.requests.length, 4)
})

t.test('refusals say what to do, and are not made again', async (t) => {
  for (const [status, text] of [
    [401, /PUSH_API_KEY holds no key/],
    [403, /scope admin/],
    [404, /base of the API/],
    [400, /400: something else/],
  ] as const) {
    const { target, requests } = await openServer([{ status, object: { message: 'something else' } }])
    await t.rejects(target.send('/x', [{}], { dryRun: false }), { message: text })
    t.equal(requests.length, 1)
  }
})
