// What the compiler refuses at call sites: `npm run check` fails when one of these lines is no error any more. And how the
// driver delivers each type, which the types of statements rely on.
import t from 'tap'
import { createDatabase } from '@push-server/testing'
import { openDatabase, type Queryable } from '../src/connection/database.ts'
import { statement, type Statement } from '../src/connection/statement.ts'

/** For the compiler alone. */
export async function callSites({ query }: Queryable) {
  const list = statement({ name: 'device-list', text: '' })
  const [device] = await query(list, [1, 'user', 10, 0])
  // @ts-expect-error a wrong parameter
  await query(list, ['1', 'user', 10, 0])
  const some: readonly (string | number)[] = [1, 'user', 10, 0]
  // @ts-expect-error parameters of which nothing is known but their number
  await query(list, some)
  // @ts-expect-error a missing parameter
  await query(list, [1, 'user', 10])
  // @ts-expect-error no parameters at all
  await query(list)
  // @ts-expect-error a parameter that must not be null
  await query(list, [1, null, 10, 0])
  // @ts-expect-error a column that is not there
  device?.tokn.slice()
  // @ts-expect-error a forgotten null
  device?.environment.slice()
  // @ts-expect-error a wrong type
  const active: string | undefined = device?.active

  list.narrow<{ platform: 'ios' | 'android' }>()
  // @ts-expect-error a narrower type forgets a null
  list.narrow<{ environment: 'production' }>()
  // @ts-expect-error a narrower type is another one
  list.narrow<{ platform: number }>()
  // @ts-expect-error a narrower type is of no column
  list.narrow<{ plattform: 'ios' }>()

  // @ts-expect-error a statement that nobody has described
  statement({ name: 'device-steal', text: '' })
  // @ts-expect-error a mark that names no column
  statement({ name: 'device-list', text: '', notNull: { tokn: 'typed wrongly' } })
  // @ts-expect-error a statement that is not registered
  await query({ name: 'device-list', text: '' })
  return active
}

t.test('values arrive as the types of statements say', async (t) => {
  const { url, close } = await createDatabase()
  t.teardown(close)
  const database = openDatabase({ url, connections: 1, onError: () => {} })
  t.teardown(() => database.close())
  const text = `SELECT true AS bool, '\\x01'::bytea, 1::float4, 1::float8, 1::int2, 1::int4, 1::int8, '{}'::json, '{}'::jsonb,
    'a'::name, 1::numeric, 'a'::text, now() AS timestamptz, gen_random_uuid() AS uuid, 'a'::varchar, pg_notify('a', '') AS void,
    ARRAY[1::int8] AS int8s, ARRAY[1::numeric] AS numerics, ARRAY[1::int4] AS int4s, ARRAY[gen_random_uuid()] AS uuids,
    ARRAY[now()] AS times`
  // No statement of the store has all of these.
  const samples = { name: 'samples', text } as unknown as Statement<readonly [], Record<string, unknown>>
  const [row] = await database.query(samples)
  t.match(row, {
    bool: true,
    bytea: Buffer,
    float4: Number,
    float8: Number,
    int2: Number,
    int4: Number,
    int8: Number,
    json: Object,
    jsonb: Object,
    name: String,
    numeric: String,
    text: String,
    timestamptz: Date,
    uuid: String,
    varchar: String,
    void: String,
    int8s: [String],
    numerics: [Number],
    int4s: [Number],
    uuids: [String],
    times: [Date],
  })
})
