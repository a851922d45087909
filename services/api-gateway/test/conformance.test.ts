// The conformance items C-01 to C-93, over HTTP alone: against our own services on both back ends of the queue, or against the
// server of CONFORMANCE_URL, with CONFORMANCE_KEY where it requires one (`npm run conformance`). A name in brackets is the row of
// docs/compatibility.md that the check follows where the reference differs.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { APP, BACKENDS, openTestStack, type TestBackend } from '@push-server/testing'
import { administrationChecks } from './conformance/_administration.ts'
import { campaignChecks } from './conformance/_campaigns.ts'
import { deviceChecks } from './conformance/_devices.ts'
import { inboxChecks } from './conformance/_inbox.ts'
import { INSIDE } from './conformance/_inside.ts'
import { messageChecks } from './conformance/_messages.ts'
import { PLATFORMS, targetOf, type Checks, type Target } from './conformance/_target.ts'
import { watch } from './_watched-api.ts'

const ITEMS = 93
/** What a queue has a part in. */
const SENDING: Checks = { ...deviceChecks, ...messageChecks, ...campaignChecks }
const QUIET: Checks = { ...administrationChecks, ...inboxChecks }

const { CONFORMANCE_URL, CONFORMANCE_KEY, CONFORMANCE_APP = APP } = process.env

async function openOurs(t: Test, backend: TestBackend): Promise<Target> {
  const stack = await openTestStack({ backend })
  t.teardown(stack.close)
  await stack.configure(APP, PLATFORMS)
  return targetOf(watch(stack.api.url), APP)
}

function openTheirs(url: string): Target {
  const headers: Record<string, string> =
    CONFORMANCE_KEY === undefined ? {} : { authorization: `Bearer ${CONFORMANCE_KEY}` }
  return targetOf(watch(url, headers), CONFORMANCE_APP)
}

async function run(t: Test, target: Target, checks: Checks): Promise<void> {
  for (const [name, check] of Object.entries(checks)) await t.test(name, (t) => check(t, target))
  t.same(target.api.leaks, [], 'no response disclosed anything internal, and each had an id')
}

if (CONFORMANCE_URL === undefined)
  for (const [index, backend] of BACKENDS.entries())
    t.test(`our services on ${backend.name}`, { skip: backend.skip }, async (t) =>
      run(t, await openOurs(t, backend), index === 0 ? { ...SENDING, ...QUIET } : SENDING),
    )
else t.test(CONFORMANCE_URL, async (t) => run(t, openTheirs(CONFORMANCE_URL), { ...SENDING, ...QUIET }))

t.test('every item is proved', async (t) => {
  const numbers = [...Object.keys({ ...SENDING, ...QUIET }), ...Object.keys(INSIDE)].map((name) =>
    Number(name.slice(2, 4)),
  )
  const items = Array.from({ length: ITEMS }, (_, index) => index + 1)
  t.same(
    numbers.toSorted((a, b) => a - b),
    items,
    'each once',
  )
  for (const [item, [file, name]] of Object.entries(INSIDE)) {
    const source = await readFile(join(import.meta.dirname, '../../..', file), 'utf8')
    t.ok(source.includes(`t.test('${name}'`), `${item} in ${file}`)
  }
})
