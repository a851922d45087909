// What the arguments of `npm test` stand for.
import { join } from 'node:path'
import t from 'tap'
import { testFilesOf } from '../testing/test-files.ts'

const root = join(import.meta.dirname, '../..')
const filesOf = (...paths: string[]) => testFilesOf(paths, root)

t.test('a file is itself, a folder all tests in it', async (t) => {
  t.same(filesOf('packages/testing/test/mixed.ts'), ['packages/testing/test/mixed.ts'])
  const files = filesOf('services/api-key', 'scripts')
  t.equal(files[0], 'services/api-key/test/api-key.test.ts')
  t.ok(files.includes('scripts/test/test-files.test.ts'))
  t.ok(
    files.every((file) => file.endsWith('.test.ts')),
    files.join(' '),
  )
  t.same(filesOf('packages/*/test/a*.test.ts'), ['packages/*/test/a*.test.ts'])
  t.same(filesOf('services/api-key/test/'), ['services/api-key/test/api-key.test.ts'])
  t.ok(filesOf('packages').every((file) => !file.includes('node_modules')))
})

t.test('none at all is refused, since it would mean all tests', async (t) => {
  t.throws(() => filesOf('services/hms-worker'), { message: 'There is no test in services/hms-worker' })
  t.throws(() => filesOf('packages/stor'), { message: 'There is no packages/stor' })
  t.same(filesOf(), [])
})
