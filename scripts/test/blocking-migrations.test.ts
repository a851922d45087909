// The check of migrations, on migrations made up for each rule.
import t from 'tap'
import { findBlockingMigrations, problemsOf } from '../checks/blocking-migrations.ts'

const refused: [string, RegExp][] = [
  ['CREATE INDEX "a" ON "devices"("token");', /^1_new: an index on devices keeps everybody from writing/],
  ['CREATE UNIQUE INDEX a ON messages (id);', /an index on messages/],
  ['CREATE INDEX IF NOT EXISTS a\n  ON public.deliveries (id)', /an index on deliveries/],
  ['CREATE INDEX ON chunks (id) WHERE settled_at IS NULL', /an index on chunks/],
  ['create index a on "public"."chunks" using btree (id)', /an index on chunks/],
  ['ALTER TABLE "devices" ADD COLUMN x INT, ADD CONSTRAINT "c" UNIQUE ("x")', /an index on devices/],
  ['CREATE INDEX CONCURRENTLY a ON devices (id)', /CONCURRENTLY requires "-- no transaction" as the first line/],
  ['-- no transaction\nUPDATE devices SET id = 1;', /can be repeated, not: UPDATE devices SET id = 1/],
  ['-- no transaction\nCREATE INDEX a ON devices (id);', /can be repeated, not: CREATE INDEX a ON devices/],
]

const taken = [
  'CREATE INDEX "a" ON "inbox_messages"("id");',
  'CREATE INDEX a ON devices_of_old (id);',
  '-- CREATE INDEX a ON devices (id)\nALTER TABLE devices ADD COLUMN x INT;',
  'ALTER TABLE devices ADD CONSTRAINT c UNIQUE USING INDEX a',
  '-- no transaction\n-- Why.\nCREATE INDEX CONCURRENTLY "a" ON "devices" ("id");\nDROP INDEX CONCURRENTLY IF EXISTS "b";\n',
]

t.test('what would keep others from writing is refused', async (t) => {
  for (const [sql, reason] of refused) {
    const problems = problemsOf('1_new', sql)
    t.equal(problems.length, 1, sql)
    t.match(problems[0], reason)
  }
})

t.test('what does not is taken', async (t) => {
  for (const sql of taken) t.same(problemsOf('1_new', sql), [], sql)
  t.same(problemsOf('20261123190000_house', 'CREATE INDEX a ON devices (id)'), [], 'what was applied before is')
  t.same(findBlockingMigrations('.'), [])
})
