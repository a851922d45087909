// What an outcome of a trial push says of the credentials, and the requests that are only validated.
import t from 'tap'
import { fcmBody, fcmPayload, onlyValidated as fcmValidated } from '../src/fcm/payload.ts'
import { hmsPayload, onlyValidated as hmsValidated, withTokens } from '../src/hms/payload.ts'
import type { Outcome, PushMessage } from '../src/index.ts'
import { findingOf } from '../src/trial.ts'

t.test('what is said of the token says that the credentials were taken', async (t) => {
  const cases: [outcome: Outcome, accepted: boolean, reason: string | null][] = [
    [{ kind: 'sent' }, true, null],
    [{ kind: 'token-doubtful', reason: 'BadDeviceToken' }, true, null],
    [{ kind: 'token-gone', reason: 'UNREGISTERED' }, true, null],
    [{ kind: 'credentials-error', reason: 'InvalidProviderToken' }, false, 'InvalidProviderToken'],
    [{ kind: 'failed', reason: 'PayloadEmpty' }, false, 'PayloadEmpty'],
    [{ kind: 'retry', reason: 'Unsent: connect ECONNREFUSED', unsent: true }, false, 'Unsent: connect ECONNREFUSED'],
  ]
  for (const [outcome, accepted, reason] of cases) t.same(findingOf(outcome), { accepted, reason }, outcome.kind)
})

t.test('a push that is only validated is the push with one more member', async (t) => {
  const message: PushMessage = { body: { title: 'T' }, silent: false, priority: 'HIGH' }
  const fcm = fcmPayload(message, { now: 0, dataOnly: false })
  t.same(JSON.parse(fcmBody(fcmValidated(fcm), { token: 'x' }).toString()), {
    ...JSON.parse(fcmBody(fcm, { token: 'x' }).toString()),
    validate_only: true,
  })
  const hms = hmsPayload(message, { now: 0, dataOnly: false, appId: 'my-app' })
  t.same(JSON.parse(withTokens(hmsValidated(hms), ['x'])), {
    ...JSON.parse(withTokens(hms, ['x'])),
    validate_only: true,
  })
})
