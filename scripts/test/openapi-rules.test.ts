// Each rule of the API's description finds what it is for, and leaves a usable description alone.
import t from 'tap'
import { findUnusable, type ApiDescription } from '../checks/openapi-rules.ts'

const json = (schema: object) => ({ content: { 'application/json': { schema } } })
const NAMED = { $ref: '#/components/schemas/Named' }

/** With one operation that all rules hold of, but for what is given. */
function descriptionOf(operation: object, named: object = {}): ApiDescription {
  const usable = {
    security: [{ basic: [] }, { bearer: [] }],
    parameters: [{ name: 'appId', in: 'query', schema: { type: 'string', maxLength: 255 } }],
    requestBody: json(NAMED),
    responses: { 200: { description: 'Done.', ...json(NAMED) }, 400: { $ref: '#/components/responses/BadRequest' } },
  }
  return {
    paths: { '/send': { post: { ...usable, ...operation } } },
    components: {
      schemas: { Named: { title: 'Named', type: 'object', ...named }, Words: { title: 'Words', enum: ['a', 'b'] } },
      responses: { BadRequest: { description: 'Refused.', ...json(NAMED) } },
    },
  }
}

const member = (name: string, schema: object) => ({ properties: { [name]: schema } })

t.test('a usable description', async (t) => {
  const nullable = {
    description: 'A word.',
    default: 'a',
    anyOf: [{ $ref: '#/components/schemas/Words' }, { type: 'null' }],
  }
  const flag = member('flag', { type: ['boolean', 'null'] })
  const time = member('timestampCreated', { type: 'string', format: 'date-time' })
  for (const named of [{}, member('word', nullable), flag, time]) t.same(findUnusable(descriptionOf({}, named)), [])
  const binary = {
    requestBody: { content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } },
  }
  t.same(findUnusable(descriptionOf(binary)), [])
})

t.test('what breaks generated clients', async (t) => {
  const inline = { type: 'object' }
  const cases: [what: string, operation: object, named: object, found: RegExp][] = [
    ['an inline request', { requestBody: json(inline) }, {}, /^post \/send request: a body is a component/],
    [
      'an inline response',
      { responses: { 200: { description: 'Done.', ...json(inline) } } },
      {},
      /200: a body is a component/,
    ],
    [
      'a response without a sentence',
      { responses: { 200: { description: 'Default Response', ...json(NAMED) } } },
      {},
      /a sentence/,
    ],
    [
      'an error of its own',
      { responses: { 400: { description: 'No.', ...json(NAMED) } } },
      {},
      /400: a response that operations share/,
    ],
    ['basic last', { security: [{ bearer: [] }, { basic: [] }] }, {}, /bearer is the last/],
    [
      'a text without an end',
      { parameters: [{ name: 'id', in: 'path', schema: { type: 'string' } }] },
      {},
      /id: a text has its bounds/,
    ],
    ['null alone', {}, member('ios', { type: 'null' }), /^Named\.ios: null is one of/],
    ['an inline enumeration', {}, member('mode', { enum: ['a', 'b'] }), /^Named\.mode: an enumeration/],
    [
      'one in a parameter',
      { parameters: [{ name: 'mode', in: 'query', schema: { enum: ['a', 'b'] } }] },
      {},
      /mode: an enumeration/,
    ],
    ['one in a list', {}, member('modes', { items: { enum: ['a', 'b'] } }), /^Named\.modes\[\]: an enumeration/],
    [
      'a lost text',
      {},
      member('title', { anyOf: [{ type: 'string', description: 'A title.' }, { type: 'null' }] }),
      /beside anyOf/,
    ],
    [
      'a lost default',
      {},
      member('silent', { anyOf: [{ type: 'boolean', default: false }, { type: 'null' }] }),
      /beside anyOf/,
    ],
    ['a time as any text', {}, member('timestampSent', { type: 'string' }), /date-time/],
    ['one that may be null', {}, member('sendAt', { anyOf: [{ type: 'string' }, { type: 'null' }] }), /date-time/],
  ]
  for (const [what, operation, named, found] of cases) {
    const problems = findUnusable(descriptionOf(operation, named))
    t.equal(problems.length, 1, `${what}: ${problems.join('; ')}`)
    t.match(problems[0], found, what)
  }
})
