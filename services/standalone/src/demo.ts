// Something to try at once: an application with credentials, a user, and three phones in the simulator.
import { createHash, generateKeyPairSync } from 'node:crypto'
import { PLATFORMS, type Platform } from '@push-server/contract'
import { localRegistry, registerDevice, updateCredentials, type Context } from '@push-server/domain'
import type { Simulator } from '@push-server/simulator'

export const DEMO_APP = 'mobile-app'
/** Of the API document's examples; nothing is configured for it. */
const OTHER_APP = 'mobile-app-other'
export const DEMO_USER = 'user-1'

const PHONES: Record<Platform, string> = {
  ios: 'iPhone of user-1',
  android: 'Android phone of user-1',
  huawei: 'Huawei phone of user-1',
}
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
  if (application) await keepDocumented(context, application.id)
  for (const platform of PLATFORMS) await registerPhone(context, simulator, platform)
}

async function keepDocumented({ store: { activations } }: Context, applicationRow: number): Promise<void> {
  const kept = new Set((await activations.find(DOCUMENTED)).map(({ activationId }) => activationId))
  const missing = DOCUMENTED.filter((activationId) => !kept.has(activationId))
  const of = { userId: DOCUMENTED_USER, status: 'ACTIVE', applicationId: DEMO_APP, applicationRow } as const
  await activations.keep(missing.map((activationId) => ({ activationId, ...of })))
}

async function registerPhone({ store, log }: Context, simulator: Simulator, platform: Platform): Promise<void> {
  const name = PHONES[platform]
  const token = createHash('sha256').update(name).digest('hex')
  simulator.addPhone({ platform, token, name })
  await registerDevice(
    { store, activations: localRegistry(store) },
    { appId: DEMO_APP, userId: DEMO_USER, platform, token, activationId: `demo-${platform}-of-${DEMO_USER}` },
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
