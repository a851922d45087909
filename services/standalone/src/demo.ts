// Something to try at once: an application with credentials, a user, and an iPhone in the simulator.
import { createHash, generateKeyPairSync } from 'node:crypto'
import { localRegistry, registerDevice, updateIos, type Context } from '@push-server/domain'
import type { Simulator } from '@push-server/simulator'

export const DEMO_APP = 'mobile-app'
export const DEMO_USER = 'user-1'

const PHONE = { name: 'iPhone of user-1', activationId: 'demo-iphone-of-user-1' }
/** The activation and the user of the API document's examples. */
const DOCUMENTED = { activationId: '49414e31-f3df-4cea-87e6-f214ca3b8412', userId: '123' }

/** Makes what is missing; what an earlier start or a person made is left as it is. */
export async function setUpDemo({ store }: Context, simulator: Simulator): Promise<void> {
  await store.applications.create(DEMO_APP)
  const application = await store.applications.find(DEMO_APP)
  if (!application?.credentials.some(({ platform }) => platform === 'ios'))
    await updateIos(store, generatedCredentials())
  const activations = localRegistry(store)
  if (!(await store.activations.find(DOCUMENTED.activationId)))
    await store.activations.put({ ...DOCUMENTED, status: 'ACTIVE', applicationId: DEMO_APP })

  const token = createHash('sha256').update(PHONE.name).digest('hex')
  simulator.addPhone({ platform: 'ios', token, name: PHONE.name })
  await registerDevice(
    { store, activations },
    { appId: DEMO_APP, userId: DEMO_USER, platform: 'ios', token, activationId: PHONE.activationId },
  )
}

function generatedCredentials() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return {
    appId: DEMO_APP,
    bundle: 'com.example.mobile-app',
    keyId: 'DEMOKEY001',
    teamId: 'DEMOTEAM01',
    privateKeyBase64: Buffer.from(pem).toString('base64'),
  }
}
