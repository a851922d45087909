// The check of layers, on packages made up for each rule: a check that lets something through would never be noticed.
import t from 'tap'
import { findBreaches, importsOf, readPackages, type Package } from '../checks/layers.ts'

function packageOf(name: string, file: string, imports: readonly string[]): Package {
  const ours = imports.flatMap((specifier) => /^@push-server\/([^/]+)$/.exec(specifier)?.[1] ?? [])
  return { name, dependencies: ours, devDependencies: [], files: [{ path: file, imports }] }
}

const allowed = [
  packageOf('domain', 'src/messages/accept.ts', [
    '@push-server/store',
    '@push-server/contract',
    'node:fs',
    './store.ts',
  ]),
  packageOf('domain', 'src/messages/accept.ts', ['../devices/index.ts', './parts/rows.ts', '../clock.ts']),
  packageOf('domain', 'src/index.ts', ['./devices/index.ts']),
  packageOf('domain', 'test/accept.test.ts', ['../src/messages/accept.ts', '@push-server/domain']),
  packageOf('store', 'src/messages/messages.ts', ['../chunks/claims.ts', './status.ts', '../connection/database.ts']),
  packageOf('store', 'src/store.ts', ['./messages/messages.ts']),
  packageOf('store', 'test/chunks.test.ts', ['../src/chunks/claims.ts']),
  packageOf('queues', 'test/queues.test.ts', ['@push-server/testing', '@push-server/embedded-postgres']),
  packageOf('standalone', 'src/main.ts', ['@push-server/simulator', '@push-server/api-gateway']),
  packageOf('testing', 'src/world.ts', ['@push-server/embedded-postgres', '@push-server/apns-worker']),
  packageOf('simulator', 'src/phones.ts', ['@push-server/contract']),
  packageOf('bench', 'src/stage.ts', ['@push-server/testing', '@push-server/simulator', '@push-server/api-gateway']),
  packageOf('scripts', 'fuzz/fuzz.ts', ['../../packages/testing/src/index.ts', './requests.ts', '../setup/step.mjs']),
  packageOf('scripts', 'checks/openapi.ts', ['../../services/api-gateway/src/index.ts']),
  packageOf('scripts', 'checks/migrations.ts', ['../../packages/store/src/concurrent-indexes.ts']),
  packageOf('scripts', 'run.mjs', ['./setup/node.mjs', 'node:fs']),
  packageOf('api-gateway', 'src/routes/a.ts', ['../validation/rules.ts', '../parts.ts']),
]

const refused: [Package, RegExp][] = [
  [
    packageOf('store', 'src/a.ts', ['@push-server/domain']),
    /store\/src\/a\.ts imports @push-server\/domain: not below it/,
  ],
  [packageOf('store', 'src/a.ts', ['@push-server/queues']), /not below it/],
  [packageOf('store', 'test/a.test.ts', ['@push-server/domain']), /not below it/],
  [packageOf('domain', 'src/a.ts', ['@push-server/simulator']), /not below it/],
  [packageOf('domain', 'src/a.ts', ['@push-server/testing']), /not below it/],
  [packageOf('standalone', 'src/a.ts', ['@push-server/testing']), /not below it/],
  [packageOf('embedded-postgres', 'src/a.ts', ['@push-server/contract']), /not below it/],
  [packageOf('testing', 'src/a.ts', ['@push-server/bench']), /not below it/],
  [packageOf('bench', 'src/a.ts', ['../../scripts/test.ts']), /outside its package/],
  [packageOf('scripts', 'a.ts', ['../bench/src/bench.ts']), /behind the index/],
  [packageOf('scripts', 'checks/a.ts', ['../../packages/store/src/rows.ts']), /behind the index/],
  [packageOf('scripts', 'setup/a.mjs', ['../testing/tap.ts']), /the setup imports nothing but itself/],
  [packageOf('scripts', 'run.mjs', ['./test.ts']), /the setup imports nothing but itself/],
  [packageOf('api-gateway', 'src/routes/a.ts', ['./b.ts']), /do not import each other/],
  [packageOf('newcomer', 'src/a.ts', ['@push-server/contract']), /not below it/],
  [packageOf('domain', 'src/a.ts', ['@push-server/store/src/rows.ts']), /behind the index/],
  [packageOf('domain', 'src/a.ts', ['../../store/src/index.ts']), /outside its package/],
  [packageOf('store', 'src/chunks/a.ts', ['../messages/messages.ts']), /chunks\/ does not stand above it/],
  [packageOf('store', 'src/inbox/a.ts', ['../devices/devices.ts']), /inbox\/ does not stand above it/],
  [packageOf('store', 'src/chunks/a.ts', ['../store.ts']), /chunks\/ does not stand above it/],
  [packageOf('store', 'src/newcomer/a.ts', ['../chunks/b.ts']), /newcomer\/ does not stand above it/],
  [packageOf('domain', 'src/messages/a.ts', ['../devices/rows.ts']), /only the index of devices\//],
  [{ ...packageOf('domain', 'src/a.ts', ['@push-server/store']), dependencies: [] }, /not in the dependencies/],
  [
    { ...packageOf('domain', 'src/a.ts', ['@push-server/store']), dependencies: [], devDependencies: ['store'] },
    /not in the dependencies/,
  ],
  [
    { ...packageOf('domain', 'src/a.ts', []), dependencies: ['store'] },
    /domain\/package\.json names @push-server\/store, which no file imports/,
  ],
]

t.test('what the layers allow', async (t) => {
  for (const each of allowed) t.same(findBreaches([each]), [], `${each.name}: ${each.files[0]?.imports.join(' ')}`)
})

t.test('what they refuse', async (t) => {
  for (const [each, reason] of refused) {
    const breaches = findBreaches([each])
    t.equal(breaches.length, 1)
    t.match(breaches[0] ?? '', reason)
  }
})

t.test('circles of files are found', async (t) => {
  const file = (path: string, ...imports: string[]) => ({ path, imports })
  const files = [
    file('src/a.ts', './b.ts', './d.ts'),
    file('src/b.ts', './c/index.ts'),
    file('src/c/index.ts', '../a.ts', './e.ts'),
    file('src/d.ts', './b.ts'),
  ]
  t.same(findBreaches([{ ...packageOf('contract', '', []), files }]), [
    'contract: circle src/a.ts → src/b.ts → src/c/index.ts → src/a.ts',
  ])
})

t.test('every form of import is seen', async (t) => {
  const source = `
    import a, { type B } from 'one'
    import type {
      C,
    } from "two"
    import 'three'
    export * from 'four'
    export type { D } from 'five'
    const e = await import('six')
    // import f from 'comment'
    export const from = 'text'
    const g = "import h from 'text'"
  `
  t.same(importsOf(source).toSorted(), ['five', 'four', 'one', 'six', 'three', 'two'])
})

t.test('the packages of this repository are found, with their files', async (t) => {
  const packages = readPackages(`${import.meta.dirname}/../..`)
  const contract = packages.find(({ name }) => name === 'contract')
  t.ok(contract?.files.some(({ path }) => path === 'src/index.ts'))
  for (const name of ['standalone', 'bench', 'scripts'])
    t.ok(
      packages.some((each) => each.name === name),
      name,
    )
})
