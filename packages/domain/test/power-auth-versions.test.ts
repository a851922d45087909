// In which order versions of PowerAuth Server's interface are tried, and for how long that is remembered.
import t from 'tap'
import { createPowerAuthVersions } from '../src/activations/power-auth-versions.ts'

const MINUTE = 60_000

t.test('the later version first, the earlier one for five minutes once it was found', async (t) => {
  let now = 0
  const versions = createPowerAuthVersions('auto', () => now)
  t.same(versions.order(), ['v4', 'v3'])
  versions.found('v3')
  t.same(versions.order(), ['v3', 'v4'])
  now = 5 * MINUTE - 1
  t.same(versions.order(), ['v3', 'v4'])
  now = 5 * MINUTE
  t.same(versions.order(), ['v4', 'v3'], 'PowerAuth Server may have been replaced')
  versions.found('v3')
  now += MINUTE
  versions.found('v4')
  t.same(versions.order(), ['v4', 'v3'], 'it was replaced')
})

t.test('a version that is set is the only one', async (t) => {
  for (const api of ['v3', 'v4'] as const) {
    const versions = createPowerAuthVersions(api, () => 0)
    versions.found(api === 'v3' ? 'v4' : 'v3')
    t.same(versions.order(), [api])
  }
})
