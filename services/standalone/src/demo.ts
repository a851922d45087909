// Something to try at once: an application with credentials, a user with three phones in the simulator, and one with a phone of HarmonyOS 5.
import { createHash, generateKeyPairSync } from 'node:crypto'
import { PLATFORMS, type Platform } from '@push-server/contract'
import {
  localRegistry,
  registerDevice,
  updateCredentials,
  updateHuaweiAccount,
  type Context,
} from '@push-server/domain'
import type { Simulator } from '@push-server/simulator'

export const DEMO_APP = 'mobile-app'
/** Of the API document's examples; nothing is configured for it. */
const OTHER_APP = 'mobile-app-other'
export const DEMO_USER = 'user-1'
/** Has a phone of HarmonyOS 5 alone, so that the documented numbers of user-1 stay. */
const HARMONY_USER = 'harmony-user'

interface DemoPhone {
  platform: Platform
  userId: string
  name: string
  activationId: string
  huaweiApi?: 3
}

const phoneOf = (platform: Platform, name: string): DemoPhone => ({
  platform,
  userId: DEMO_USER,
  name: `${name} of ${DEMO_USER}`,
  activationId: `demo-${platform}-of-${DEMO_USER}`,
})

const PHONES: readonly DemoPhone[] = [
  phoneOf('ios', 'iPhone'),
  phoneOf('android', 'Android phone'),
  phoneOf('huawei', 'Huawei phone'),
  {
    platform: 'huawei',
    userId: HARMONY_USER,
    name: `HarmonyOS 5 phone of ${HARMONY_USER}`,
    activationId: `demo-of-${HARMONY_USER}`,
    huaweiApi: 3,
  },
]
/** The activations of the API document's examples, and their user. */
const DOCUMENTED = ['49414e31-f3df-4cea-87e6-f214ca3b8412', '26c94bf8-f594-4bd8-9c51-93449926b644']
const DOCUMENTED_USER = '123'

/** Makes what is missing; what an earlier start or a person made is left as it is. */
export async function setUpDemo(context: Context, simulator: Simulator): Promise<void> {
  const { store } = context
  for (const appId of [DEMO_APP, OTHER_APP])
    if (!(await store.applications.find(appId))) await store.applications.create(appId)
  const application = await store.applications.find(DEMO_APP)
  for (const platform of PLATFORMS)
    if (!application?.credentials.some((credentials) => credentials.platform === platform))
      await GENERATE[platform](context)
  await addHuaweiAccount(context)
  if (application) await keepDocumented(context, application.id)
  for (const phone of PHONES) await registerPhone(context, simulator, phone)
}

/** Beside the client of the demo: that of a person may be of another project. */
async function addHuaweiAccount({ store }: Context): Promise<void> {
  const application = await store.applications.find(DEMO_APP)
  const huawei = application?.credentials.find(({ platform }) => platform === 'huawei')
  if (huawei?.settings['projectId'] !== PROJECT || huawei.settings['accountKeyId'] !== undefined) return
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const file = {
    project_id: PROJECT,
    key_id: 'demo',
    private_key: privateKey.export(pem).toString(),
    sub_account: '100000002',
  }
  const privateKeyBase64 = base64(JSON.stringify(file))
  await updateHuaweiAccount(store, { appId: DEMO_APP, projectId: PROJECT, privateKeyBase64, category: 'FINANCE' })
}

async function keepDocumented({ store: { activations } }: Context, applicationRow: number): Promise<void> {
  const kept = new Set((await activations.find(DOCUMENTED)).map(({ activationId }) => activationId))
  const missing = DOCUMENTED.filter((activationId) => !kept.has(activationId))
  const of = { userId: DOCUMENTED_USER, status: 'ACTIVE', applicationId: DEMO_APP, applicationRow } as const
  await activations.keep(missing.map((activationId) => ({ activationId, ...of })))
}

async function registerPhone(
  { store, log }: Context,
  simulator: Simulator,
  { name, ...device }: DemoPhone,
): Promise<void> {
  const token = createHash('sha256').update(name).digest('hex')
  simulator.addPhone({ platform: device.platform, token, name })
  await registerDevice(
    { store, activations: localRegistry(store) },
    { appId: DEMO_APP, token, ...device },
    { id: 'demo', log },
  )
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const pem = { type: 'pkcs8', format: 'pem' } as const
const PROJECT = 'mobile-app'

/** Credentials of the right form, which only a simulator accepts. */
const GENERATE: Record<Platform, (context: Context) => Promise<void>> = {
  ios({ store }) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const ids = { bundle: 'com.example.mobile-app', keyId: 'DEMOKEY001', teamId: 'DEMOTEAM01' }
    return updateCredentials.ios(store, {
      appId: DEMO_APP,
      ...ids,
      privateKeyBase64: base64(privateKey.export(pem).toString()),
    })
  },

  android({ store }) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const account = {
      type: 'service_account',
      project_id: PROJECT,
      private_key_id: 'demo',
      private_key: privateKey.export(pem).toString(),
      client_email: `push@${PROJECT}.iam.gserviceaccount.com`,
      token_uri: 'https://oauth2.googleapis.com/token',
    }
    return updateCredentials.android(store, {
      appId: DEMO_APP,
      projectId: PROJECT,
      privateKeyBase64: base64(JSON.stringify(account)),
    })
  },

  huawei: ({ store }) =>
    updateCredentials.huawei(store, {
      appId: DEMO_APP,
      projectId: PROJECT,
      clientId: '100000001',
      clientSecret: 'demo-secret',
    }),
}
