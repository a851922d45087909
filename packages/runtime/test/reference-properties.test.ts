// The properties of the reference server as data: each setting that it names is one of ours, and a left-over property stops the start.
import t from 'tap'
import { readConfig } from '../src/config.ts'
import { REFERENCE_PROPERTIES } from '../src/reference-properties.ts'
import { SETTINGS } from '../src/settings.ts'
import type { Setting } from '../src/setting.ts'

const settings: readonly Setting<unknown>[] = Object.values(SETTINGS)
const variableOf = (property: string) => property.replaceAll('-', '').replaceAll('.', '_').toUpperCase()

t.test('there are 47 of them, each once', async (t) => {
  t.equal(REFERENCE_PROPERTIES.length, 47)
  t.equal(new Set(REFERENCE_PROPERTIES.map(({ property }) => variableOf(property))).size, 47)
})

for (const { property, setting: name, default: theirs, note, isDifferent } of REFERENCE_PROPERTIES)
  t.test(property, async (t) => {
    const ours = settings.find((setting) => setting.name === name)
    t.equal(ours?.name, name, 'the setting is one of ours')
    if (isDifferent) t.not(ours?.fallback, theirs)
    // A flag has no other unit or meaning that could hide the difference.
    if (/^(true|false)$/.test(theirs) && ours?.fallback !== undefined)
      t.equal(theirs !== ours.fallback, isDifferent ?? false)
    if (name === undefined) t.ok(note, 'says what came in its place')
    for (const variable of [variableOf(property), property])
      t.throws(() => readConfig({ [variable]: theirs }), {
        message:
          name === undefined ? `${variable}: a property of PowerAuth Push Server` : new RegExp(`which is ${name} here`),
      })
  })

t.test('the setting of development pushes comes first', async (t) => {
  t.equal(REFERENCE_PROPERTIES[0]?.setting, 'APNS_USE_DEVELOPMENT')
  t.throws(() => readConfig({ POWERAUTH_PUSH_SERVICE_APNS_USEDEVELOPMENT: 'true' }), {
    message: /which is APNS_USE_DEVELOPMENT here .*the default is false here and was true there/,
  })
  t.throws(() => readConfig({ POWERAUTH_PUSH_SERVICE_SOMETHING: '1' }), { message: /there is no setting of this name/ })
  t.doesNotThrow(() => readConfig({ APNS_USE_DEVELOPMENT: 'true', POWERAUTH_URL: 'http://localhost/rest' }))
})
