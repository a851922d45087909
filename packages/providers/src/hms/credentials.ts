// Credentials of an application for HMS: a project, and beside it an OAuth client, which pushes by version 2 of the API, or a service
// account, which pushes by version 3 to HarmonyOS 5 and later, or both. The client's id is kept with its secret, so that neither is
// shown or stored in clear.
import type { KeyObject } from 'node:crypto'
import { InvalidCredentials, readPrivateKey, readSecretObject } from '../credentials.ts'
import type { StoredCredentials } from '../provider-kind.ts'

export interface HmsCredentials {
  /** Names the project in the path of every push. */
  projectId: string
  /** Both, or neither beside an account. */
  clientId?: string
  clientSecret?: string
  account?: HmsAccount
}

export interface HmsAccount {
  /** Names its project in the path of every push: it may be another than that of the client. */
  projectId: string
  /** Issuer of its tokens. */
  subAccount: string
  keyId: string
  key: KeyObject
  /** Of notifications whose message names none. */
  category: string
}

/** The members of a service account's file that are kept. */
export interface HmsAccountFile {
  project_id: string
  key_id: string
  private_key: string
  sub_account: string
}

/** Everything that an administrator sets, as it is stored. */
export interface HmsParts {
  projectId: string
  client?: { clientId: string; clientSecret: string }
  account?: { file: HmsAccountFile; category: string }
}

type Secret = { clientId?: string; clientSecret?: string; account?: HmsAccountFile }

/** The secret as it is stored: JSON of client id and client secret. */
export const hmsSecret = ({ clientId, clientSecret, account }: Secret): Buffer =>
  Buffer.from(JSON.stringify({ clientId, clientSecret, account }))

/** What Huawei calls a message of no other class. */
export const USUAL_CATEGORY = 'MARKETING'

/** Settings that may be shown, and the secret. Without an account they are as every version has stored them. */
export function hmsStored({ projectId, client, account }: HmsParts): StoredCredentials {
  const shown = account && {
    apis: client ? '2, 3' : '3',
    accountKeyId: account.file.key_id,
    category: account.category,
  }
  return {
    settings: { projectId, ...shown },
    secret: hmsSecret({ ...client, ...(account && { account: account.file }) }),
  }
}

/** Versions of the API that stored credentials push by. */
export const hmsApis = ({ apis }: Readonly<Record<string, string | null>>): string => apis ?? '2'

/** Reads back what `hmsStored` made. Throws InvalidCredentials. */
export function hmsPartsOf({ settings, secret }: StoredCredentials): HmsParts {
  const { clientId, clientSecret, account } = readSecretObject(secret, NOT_JSON, 'clientSecret') as Secret
  return {
    projectId: settings['projectId'] ?? '',
    ...(clientId !== undefined && clientSecret !== undefined && { client: { clientId, clientSecret } }),
    ...(account && { account: { file: account, category: settings['category'] ?? USUAL_CATEGORY } }),
  }
}

const NOT_JSON = 'HMS secret is not the JSON of a client id and a client secret'
const PATH_SEGMENT = /^[\x21-\x7e]+$/
const CONTROL_CHARACTER = /\p{Cc}/u

/** Reads stored credentials. Throws InvalidCredentials when a part is missing or cannot be sent. */
export function readHmsCredentials(settings: Readonly<Record<string, string | null>>, secret: Buffer): HmsCredentials {
  const { clientId, clientSecret, account } = readSecretObject(secret, NOT_JSON, 'clientSecret')
  const isAccountAlone = account !== undefined && clientId === undefined && clientSecret === undefined
  const credentials = {
    projectId: checked('projectId', settings['projectId']),
    ...(!isAccountAlone && {
      clientId: checked('clientId', clientId),
      clientSecret: checked('clientSecret', clientSecret),
    }),
  }
  if (!PATH_SEGMENT.test(credentials.projectId))
    throw new InvalidCredentials('HMS project id must be ASCII without blanks', { field: 'projectId' })
  if (account === undefined) return credentials
  return { ...credentials, account: readAccount(Object(account), settings) }
}

function checked(name: 'projectId' | 'clientId' | 'clientSecret', value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '')
    throw new InvalidCredentials(`HMS credentials lack "${name}"`, { field: name })
  if (CONTROL_CHARACTER.test(value))
    throw new InvalidCredentials(`HMS "${name}" must not have control characters`, { field: name })
  return value
}

const FILE = { field: 'privateKeyBase64' } as const
const MEMBERS = ['project_id', 'key_id', 'private_key', 'sub_account'] as const

/**
 * What is kept of a service account's file. Throws InvalidCredentials.
 * https://developer.huawei.com/consumer/cn/doc/harmonyos-guides/push-jwt-token
 */
export function readHmsAccountFile(file: Buffer): HmsAccountFile {
  const members = readSecretObject(file, 'HMS service account file is not JSON', FILE.field)
  const read = Object.fromEntries(MEMBERS.map((name) => [name, accountMember(members, name)])) as Record<
    (typeof MEMBERS)[number],
    string
  >
  readAccountKey(read.private_key)
  return read
}

function accountMember(members: Partial<Record<string, unknown>>, name: keyof HmsAccountFile): string {
  const value = members[name]
  if (typeof value !== 'string' || value.trim() === '')
    throw new InvalidCredentials(`HMS service account lacks "${name}"`, FILE)
  return value
}

const LEAST_KEY_BITS = 2_048

function readAccountKey(pem: string): KeyObject {
  const key = readPrivateKey(pem, 'HMS private key')
  if (key.asymmetricKeyType !== 'rsa')
    throw new InvalidCredentials(`HMS private key must be an RSA key, this one is "${key.asymmetricKeyType}"`, FILE)
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < LEAST_KEY_BITS)
    throw new InvalidCredentials(
      `HMS private key must have ${LEAST_KEY_BITS} bits at least, this one has ${bits}`,
      FILE,
    )
  return key
}

function readAccount(
  members: Partial<Record<string, unknown>>,
  { category }: Readonly<Record<string, string | null>>,
): HmsAccount {
  const member = (name: keyof HmsAccountFile) => accountMember(members, name)
  return {
    projectId: member('project_id'),
    subAccount: member('sub_account'),
    keyId: member('key_id'),
    key: readAccountKey(member('private_key')),
    category: category ?? USUAL_CATEGORY,
  }
}
