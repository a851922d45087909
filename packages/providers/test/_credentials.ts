// Credentials of an application on each platform, as they are stored. Every call makes new keys under the same names.
import { generateKeyPairSync } from 'node:crypto'
import type { Platform } from '@push-server/contract'
import { hmsSecret, type ApplicationCredentials, type StoredCredentials } from '../src/index.ts'

let calls = 0
const PEM = { type: 'pkcs8', format: 'pem' } as const

export function makeCredentials(): Record<Platform, ApplicationCredentials> {
  const account = {
    type: 'service_account',
    project_id: 'my-project',
    private_key_id: 'key-1',
    private_key: generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export(PEM),
    client_email: 'push@my-project.iam.gserviceaccount.com',
  }
  return {
    ios: {
      appId: 'my-app',
      settings: { bundle: 'com.example.app', keyId: 'ABC123DEFG', teamId: 'TEAM123456', environment: null },
      secret: Buffer.from(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(PEM)),
    },
    android: { appId: 'my-app', settings: { projectId: 'my-project' }, secret: Buffer.from(JSON.stringify(account)) },
    huawei: {
      appId: 'my-app',
      settings: { projectId: '736430079245' },
      secret: hmsSecret({ clientId: '104', clientSecret: `s3cr3t & more ${calls++}` }),
    },
  }
}

/** Texts that must be seen nowhere: each is a part of the secret. */
export const secretsOf = ({ secret }: StoredCredentials): string[] =>
  secret
    .toString()
    .split(/\\n|[\n"]/)
    .filter((text) => text.length === 64 || text.startsWith('s3cr3t'))
