// Credentials of the right form for each platform, with keys made for the run.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Platform } from '@push-server/contract'
import { hmsSecret, type StoredCredentials } from '@push-server/providers'

const PEM = { type: 'pkcs8', format: 'pem' } as const
const PROJECT = 'test-project'

export const APNS_SETTINGS = { bundle: 'com.example.app', keyId: 'KEYID12345', teamId: 'TEAMID1234' }

/** A key as Apple issues it. */
export const generateApnsKey = () =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(PEM).toString()

/** Generating an RSA key takes a while, and none is better than another. */
let rsaKey: string | undefined

/** A service account's file as Google issues it. */
export function generateServiceAccount(): string {
  rsaKey ??= generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(PEM).toString()
  return JSON.stringify({
    type: 'service_account',
    project_id: PROJECT,
    private_key_id: 'test',
    private_key: rsaKey,
    client_email: `push@${PROJECT}.iam.gserviceaccount.com`,
    token_uri: 'https://oauth2.googleapis.com/token',
  })
}

/** The file of a service account as Huawei issues it. */
export function generateHuaweiAccount(): string {
  rsaKey ??= generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(PEM).toString()
  return JSON.stringify({
    project_id: PROJECT,
    key_id: 'test',
    private_key: rsaKey,
    sub_account: '100000002',
    token_uri: 'https://oauth-login.cloud.huawei.com/oauth2/v3/token',
  })
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** The same as the administration's requests bring them, but for the application. */
export const generateUpdates: Record<Platform, () => object> = {
  ios: () => ({ ...APNS_SETTINGS, privateKeyBase64: base64(generateApnsKey()) }),
  android: () => ({ projectId: PROJECT, privateKeyBase64: base64(generateServiceAccount()) }),
  huawei: () => ({ projectId: PROJECT, clientId: '100000001', clientSecret: randomBytes(8).toString('hex') }),
}

export const generateCredentials: Record<Platform, () => StoredCredentials> = {
  ios: () => ({ settings: { ...APNS_SETTINGS, environment: null }, secret: Buffer.from(generateApnsKey()) }),
  android: () => ({ settings: { projectId: PROJECT }, secret: Buffer.from(generateServiceAccount()) }),
  huawei: () => ({
    settings: { projectId: PROJECT },
    secret: hmsSecret({ clientId: '100000001', clientSecret: 'secret' }),
  }),
}
