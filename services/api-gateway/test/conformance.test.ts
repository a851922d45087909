// The conformance items C-01 to C-93, and those of the reference server's versions 2.x that are seen over HTTP: against our own services
// in each form and on both back ends of the queue, or against the server of CONFORMANCE_URL, with CONFORMANCE_KEY where it requires one
// (`npm run conformance`), under its root and below its prefix. An item says in which forms of responses it holds. A name in brackets is
// the row of docs/compatibility.md that the check follows where the reference differs.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FORMS, type Form } from '@push-server/contract'
import { APP, BACKENDS, createApi, openTestStack, type TestBackend } from '@push-server/testing'
import { administrationChecks } from './conformance/_administration.ts'
import { baseChecks, PREFIX } from './conformance/_bases.ts'
import { campaignChecks } from './conformance/_campaigns.ts'
import { deviceChecks } from './conformance/_devices.ts'
import { inboxChecks } from './conformance/_inbox.ts'
import { INSIDE } from './conformance/_inside.ts'
import { messageChecks } from './conformance/_messages.ts'
import { findForm, PLATFORMS, targetOf, type Checks, type Target } from './conformance/_target.ts'
import { watch } from './_watched-api.ts'

const ITEMS = 93
/** What a queue has a part in. */
const SENDING: Checks = { ...deviceChecks, ...messageChecks, ...campaignChecks }
const ALL: Checks = { ...SENDING, ...administrationChecks, ...inboxChecks, ...baseChecks }

const { CONFORMANCE_URL, CONFORMANCE_KEY, CONFORMANCE_APP = APP } = process.env

async function run(t: Test, target: Target, checks: Checks): Promise<void> {
  for (const [name, item] of Object.entries(checks)) {
    const { in: forms, check } = typeof item === 'function' ? { in: FORMS, check: item } : item
    if (forms.includes(target.form)) await t.test(name, (t) => check(t, target))
  }
  t.same(target.api.leaks, [], 'no response disclosed anything internal, and each had an id')
}

/** The forms as installations have them: under the root, below the prefix, and by the header. */
const WAYS: readonly { form: Form; base: string; headers?: Record<string, string> }[] = [
  { form: 'all', base: '' },
  { form: '1.10', base: PREFIX },
  { form: '1.9', base: '', headers: { 'x-push-compatibility': '1.9' } },
]

/** Forms are no matter of the queue: one back end has them all. */
async function runOurs(t: Test, backend: TestBackend): Promise<void> {
  const stack = await openTestStack({ backend })
  t.teardown(stack.close)
  await stack.configure(APP, PLATFORMS)
  const isFirst = backend === BACKENDS[0]
  for (const { form, base, headers } of isFirst ? WAYS : WAYS.slice(0, 1))
    await t.test(`${form} under ${base}/`, async (t) => {
      const api = watch(stack.api.url + base, headers)
      t.equal(await findForm(api, APP), form)
      await run(t, targetOf(api, APP, form), isFirst ? ALL : SENDING)
    })
}

async function runTheirs(t: Test, url: string): Promise<void> {
  const headers: Record<string, string> =
    CONFORMANCE_KEY === undefined ? {} : { authorization: `Bearer ${CONFORMANCE_KEY}` }
  const api = watch(url, headers)
  const form = await findForm(api, CONFORMANCE_APP)
  t.comment(`${url}: the form ${form}`)
  await run(t, targetOf(api, CONFORMANCE_APP, form), ALL)
}

if (CONFORMANCE_URL === undefined)
  for (const backend of BACKENDS)
    t.test(`our services on ${backend.name}`, { skip: backend.skip }, (t) => runOurs(t, backend))
else {
  t.test(CONFORMANCE_URL, (t) => runTheirs(t, CONFORMANCE_URL))
  if (new URL(CONFORMANCE_URL).pathname === '/') {
    const below = CONFORMANCE_URL + PREFIX
    const { status } = await createApi(below).get('/push/service/status')
    t.test(below, { skip: status !== 200 && `nothing is served below ${below}` }, (t) => runTheirs(t, below))
  }
}

t.test('every item is proved, and in every form', async (t) => {
  const names = [...Object.keys(ALL), ...Object.keys(INSIDE)].filter((name) => name.startsWith('C-'))
  const numbers = new Set(names.map((name) => Number(name.slice(2, 4))))
  const items = Array.from({ length: ITEMS }, (_, index) => index + 1)
  t.same(
    [...numbers].toSorted((a, b) => a - b),
    items,
  )
  for (const [item, [file, name]] of Object.entries(INSIDE)) {
    const source = await readFile(join(import.meta.dirname, '../../..', file), 'utf8')
    t.ok(source.includes(`t.test('${name}'`), `${item} in ${file}`)
  }
})
