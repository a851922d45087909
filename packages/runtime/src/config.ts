// The environment, read once: checked against the list of settings, frozen, passed down. Nothing else reads it.
import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { PROVIDER_NAMES } from '@push-server/contract'
import { doubleNames, formerNamesIn, nameInUse, type Environment, type FormerName } from './former-names.ts'
import { nearestName } from './misspelt-names.ts'
import { printable } from './printable.ts'
import { referencePropertyOf, type ReferenceProperty } from './reference-properties.ts'
import type { Setting } from './setting.ts'
import { SETTINGS } from './settings.ts'

type SettingKey = keyof typeof SETTINGS

export type Config = Readonly<{
  [K in SettingKey]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never
}> & {
  /** Settings that were given under the name of the release before. */
  readonly formerNames: readonly FormerName[]
}

/** A name that begins like one of ours but is none is an error even where it is like none of them, such as one of the reference server. */
const PREFIXES = [
  ...Object.values(PROVIDER_NAMES).map((provider) => `${provider.toUpperCase()}_`),
  'POWERAUTH_',
  'REGISTRATION_',
  'DELIVERY_',
  'SIMULATOR_',
  'QUEUE_',
  'SWEEP_',
  'ENCRYPTION_',
  'MESSAGE_',
  'IDEMPOTENCY_',
  'BACKLOG_',
  'QUOTA_',
  'REQUEST_',
  'CONNECTION_',
  'IMPORT_',
  'INBOX_',
  'RETENTION_',
  'CAMPAIGN_',
  'CIRCUIT_BREAKER_',
  'GUARD_',
  'API_KEY_',
  'HTTP2_',
]

/** What Kubernetes puts into the environment for every service of a namespace, ours among them. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT_\d+_(TCP|UDP).*)$/
/** One of these names could be one of ours by itself; its value could not. */
const isServiceLink = (name: string, value: string | undefined) =>
  SERVICE_LINK.test(name) || (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value ?? ''))

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** A configuration in which the required settings have a value. */
export type ConfigWith<K extends SettingKey> = Config & { readonly [P in K]: NonNullable<Config[P]> }

/**
 * Throws a ConfigError that lists every error at once, `required` settings without a value included. It repeats no value of
 * a secret.
 */
export function readConfig<K extends SettingKey = never>(
  environment: Environment,
  required: readonly K[] = [],
): ConfigWith<K> {
  const failures: string[] = []
  const values: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const name = nameInUse(setting, environment)
    let value = setting.fallback
    try {
      value = valueOf(name, setting, environment) ?? setting.fallback
      const parsed = value === undefined ? undefined : setting.parse(value)
      values[key] = name === setting.formerName && typeof parsed === 'number' ? parsed * setting.formerTimes : parsed
    } catch (error) {
      const shown = setting.secret ? 'the value given' : `"${printable(String(value))}"`
      failures.push(`${name}: ${shown} is not ${(error as Error).message}`)
    }
  }
  for (const key of required)
    if (values[key] === undefined) failures.push(`${SETTINGS[key].name}: required, but not given`)
  failures.push(...doubleNames(settings, environment), ...unknownNames(environment))
  if (failures.length > 0) throw new ConfigError(`Configuration refused:\n  ${failures.join('\n  ')}`)
  const formerNames = Object.freeze(formerNamesIn(settings, environment))
  return Object.freeze({ ...values, formerNames }) as ConfigWith<K>
}

const settings: readonly Setting<unknown>[] = Object.values(SETTINGS)

/** A secret may also stand in a file that `<NAME>_FILE` names, as orchestrators hand secrets over. */
function valueOf(name: string, { secret }: Setting<unknown>, environment: Environment): string | undefined {
  const file = secret ? environment[`${name}_FILE`] : undefined
  return (file ? readSecret(file) : environment[name]) || undefined
}

function readSecret(file: string): string {
  const bytes = readBytes(file)
  // Decoded all the same, it would be another secret.
  if (!isUtf8(bytes)) throw new Error('a file in UTF-8')
  return bytes.toString('utf8').trim()
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Error(`a readable file: ${(error as Error).message}`, { cause: error })
  }
}

function unknownNames(environment: Environment): string[] {
  const known = new Set<string>(
    settings.flatMap(({ name, formerName, secret }) =>
      [name, formerName ?? name].flatMap((each) => (secret ? [each, `${each}_FILE`] : [each])),
    ),
  )
  return Object.keys(environment)
    .filter((name) => !known.has(name) && !isServiceLink(name, environment[name]))
    .flatMap((name) => {
      const former = referencePropertyOf(name)
      if (former) return `${printable(name)}: a property of PowerAuth Push Server, ${successorOf(former)}`
      const nearest = nearestName(name, known)
      if (nearest !== undefined)
        return `${printable(name)}: there is no setting of this name; the nearest is ${nearest}`
      const isOurs = PREFIXES.some((prefix) => name.startsWith(prefix))
      return isOurs ? `${printable(name)}: there is no setting of this name` : []
    })
}

/** What to do about a property that was left over from the reference server. */
function successorOf({ setting: name, default: theirs, note = '', isDifferent }: ReferenceProperty): string {
  if (name === undefined) return `which is not needed here: ${note}; leave it out`
  const ours = settings.find((setting) => setting.name === name)?.fallback ?? 'none'
  const different = isDifferent ? `; the default is ${ours} here and was ${theirs} there` : ''
  return `which is ${name} here${note ? ` (${note})` : ''}${different}`
}
