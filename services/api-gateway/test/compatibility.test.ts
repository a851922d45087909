// docs/compatibility.md: it has a row for each topic on which we differ, each row says why and is held by a test that exists, and
// what the conformance checks refer to is there.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { administrationChecks } from './conformance/_administration.ts'
import { baseChecks } from './conformance/_bases.ts'
import { campaignChecks } from './conformance/_campaigns.ts'
import { deviceChecks } from './conformance/_devices.ts'
import { inboxChecks } from './conformance/_inbox.ts'
import { INSIDE } from './conformance/_inside.ts'
import { messageChecks } from './conformance/_messages.ts'

const root = join(import.meta.dirname, '../../..')
const guide = readFileSync(join(root, 'docs/compatibility.md'), 'utf8')
const rows = guide
  .split('\n')
  .filter((line) => /^\| (?!---|topic )/.test(line))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))
const topics = rows.map(([topic = '']) => topic)

/** What has been decided to be otherwise than in the reference, and must be documented: nobody takes a row out by mistake. */
const DECIDED = `Send result · messageIds · Platform names · Message texts that differ by version · Admin provider paths
  create/multi · Method aliases · Device removal · Campaign id · Campaign sent · campaign/list?all=
  Paged answers · Inbox read, read-all · Inbox detail · Inbox list page size · Inbox text lengths
  Inbox application ids · Unconfigured list · Nulls elsewhere · App detail flags · Time stamps
  Literal texts and their order · Everything else about a request’s form · Authentication · Other statuses
  Request id · Limits · Internal error · Device dropped after a rejection · Transient provider errors
  SYNCHRONOUS wait · Devices of a platform that the app has no credentials for
  Personal message to an inactive device · One token registered twice for one user · Provider credentials error
  Batch · Campaign audience · Campaign run · FCM ttl, android priority, null extras, loc args without key
  apns-expiration without validUntil · Silent + HIGH on APNs · HMS textual collapse key · HMS tokens per request
  validUntil already past when accepted · validUntil passing while the delivery waits · Payload over 4096 bytes
  Credentials on upload · Secrets · Registration that fails · Activation of another application · Uniqueness
  Dropping a token · Age · Local activation registry · FCM payload · HMS payload · Reserved names and lengths
  validUntil beyond 28 days · Base path · Members of responses · Nulls in requests · Badges with a fraction · send/test, response
  Environment in create/multi · Old admin paths · Platform names in create · Console and description · Port of the actuator
  Callback of PowerAuth Server`

const checks = Object.keys({
  ...deviceChecks,
  ...messageChecks,
  ...campaignChecks,
  ...administrationChecks,
  ...inboxChecks,
  ...baseChecks,
})
const items = new Set([...checks, ...Object.keys(INSIDE)].map((name) => name.split(' ')[0]))

t.test('every row is whole, and held by a test', async (t) => {
  for (const row of rows) {
    t.ok(row.length === 5 && row.every((cell) => cell.trim() !== ''), row.join(' | '))
    for (const proof of row[4]?.split(', ') ?? [])
      t.ok(/^(C|R2)-/.test(proof) ? items.has(proof) : existsSync(join(root, proof)), `${row[0]}: ${proof}`)
  }
  t.equal(new Set(topics).size, topics.length, 'no topic stands twice')
})

t.test('everything that was decided has a row', async (t) => {
  for (const topic of DECIDED.split(/ · |\n/)) t.ok(topics.includes(topic.trim()), topic)
})

t.test('what a check follows in brackets is a topic', async (t) => {
  for (const name of checks)
    for (const topic of /\(([^)]+)\)$/.exec(name)?.[1]?.split('; ') ?? [])
      t.ok(topics.includes(topic), `${name}: ${topic}`)
})

t.test('what is another in each form of responses has a row that says so', async (t) => {
  const inForms = new Set(checks.flatMap((name) => /^(\S+) (?:1\.9|1\.10|all): /.exec(name)?.[1] ?? []))
  t.ok(inForms.size >= 8, [...inForms].join())
  for (const item of inForms)
    t.ok(
      rows.some(([, , here = '', , proof = '']) => proof.split(', ').includes(item) && here.includes('form')),
      item,
    )
})
