// One setting of a process: its name in the environment, how its text is read, what it means.
import { isIP } from 'node:net'
import { hostNameOf } from './host-names.ts'

export interface Setting<T> {
  readonly name: string
  /** Name of the release before. It is read while the new one is not given, and goes with the next release. */
  readonly formerName: string | undefined
  /** A value under the former name counted something larger: it is taken so many times. */
  readonly formerTimes: number
  readonly doc: string
  /** As it would be written in the environment; undefined = no value. */
  readonly fallback: string | undefined
  readonly secret: boolean
  /** When the setting cannot do without a value, for people; undefined: it always can. */
  readonly requiredWhen: string | undefined
  /** The format of the value, for people. */
  readonly format: string
  readonly bounds: Bounds | undefined
  /** Throws with a text that says which format is required. */
  parse(text: string): T
}

/** Least and most value, both allowed, as they would be written in the environment. */
interface Bounds {
  readonly least: string
  readonly most: string
}

type Options = {
  fallback?: string
  secret?: boolean
  requiredWhen?: string
  formerName?: string
  formerTimes?: number
}
type Definition<T> = { format: string; bounds?: Bounds; parse: (text: string) => T }

/** Makes the function that defines settings of one format. */
const format =
  <T>({ format, bounds, parse }: Definition<T>) =>
  <const O extends Options = Options>(name: string, doc: string, options: O = {} as O) => {
    const { fallback, secret = false, requiredWhen, formerName, formerTimes = 1 }: Options = options
    return { name, formerName, formerTimes, doc, fallback, secret, requiredWhen, format, bounds, parse } as Setting<
      O extends { fallback: string } ? T : T | undefined
    >
  }

/** Makes the definition of a format with bounds: a number is compared with them, whatever unit it is written in. */
function bounded(definition: { format: string; noun: string; bounds: Bounds; read: (text: string) => number }) {
  const { format: name, noun, bounds, read } = definition
  const [least, most] = [read(bounds.least), read(bounds.most)]
  return format({
    format: name,
    bounds,
    parse(text): number {
      const value = read(text)
      if (!(value >= least && value <= most)) throw new Error(`${noun} from ${bounds.least} to ${bounds.most}`)
      return value
    },
  })
}

const whole = (noun: string, bounds: Bounds) =>
  bounded({ format: noun, noun: 'a whole number', bounds, read: (text) => (/^\d+$/.test(text) ? Number(text) : NaN) })

const timed = (bounds: Bounds) => bounded({ format: 'duration', noun: 'a duration', bounds, read: milliseconds })

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function milliseconds(text: string): number {
  const [, amount, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? []
  const factor = UNITS[unit ?? '']
  if (amount === undefined || factor === undefined) throw new Error('a number with a unit: 500ms, 30s, 5m, 24h, 7d')
  return Number(amount) * factor
}

/** Node.js has timers of at most 2³¹ - 1 ms, 24.8 days; a longer one would fire at once. */
const LONGEST_TIMER = '24d'
const LONGEST_AGE = '3650d'

function yesOrNo(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error('true or false')
  return text === 'true'
}

function webAddress(text: string): string {
  const parsed = URL.parse(text)
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.search || parsed.hash)
    throw new Error('an address that begins with https:// or http://, without user name and query')
  return text.replace(/\/+$/, '')
}

export const text = format({ format: 'text', parse: (value) => value })
/** In base64, as `openssl rand -base64 32` writes them. */
const KEY_BYTES = 32
const KEY = /^[A-Za-z0-9+/]{43}=$/

function readKey(text: string): string {
  if (!KEY.test(text))
    throw new Error(`${KEY_BYTES} bytes in base64, as \`openssl rand -base64 ${KEY_BYTES}\` writes them`)
  return text
}

/** What a person or an oversight has made: of random bytes none is like this once in a billion keys. */
function isGuessable(bytes: Buffer): boolean {
  const isText = bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
  const steps = new Set(Array.from(bytes.subarray(1), (byte, index) => (byte - (bytes[index] ?? 0)) & 0xff))
  return isText || new Set(bytes).size < KEY_BYTES / 2 || steps.size < KEY_BYTES / 4
}

/** A key that encrypts. */
export const encryptionKey = format({
  format: 'key',
  parse(text): string {
    if (isGuessable(Buffer.from(readKey(text), 'base64')))
      throw new Error(
        `${KEY_BYTES} random bytes, as \`openssl rand -base64 ${KEY_BYTES}\` makes them: it can be guessed`,
      )
    return text
  },
})

/** Keys that only decrypt. A weak one is taken, so that it can be replaced. */
export const encryptionKeys = format({
  format: 'keys',
  parse: (text): string[] =>
    listed(text)
      .filter((key) => key !== '')
      .map(readKey),
})

/** Without the slash at its end. */
export const url = format({ format: 'address', parse: webAddress })
export const flag = format({ format: '`true` or `false`', parse: yesOrNo })
/** At least one of something. */
export const count = whole('whole number', { least: '1', most: '2147483647' })
/** Of a hundred. */
export const percentage = whole('percentage', { least: '1', most: '100' })
/** At least one of something, of which there are at most so many. */
export const countUpTo = (most: number) => whole('whole number', { least: '1', most: String(most) })
export const port = whole('port', { least: '0', most: '65535' })
/** Read into milliseconds; what a timer can count. */
export const duration = timed({ least: '0ms', most: LONGEST_TIMER })
/** A duration that something is repeated after, or that is divided. */
export const period = timed({ least: '1ms', most: LONGEST_TIMER })
/** How long something is kept: no timer counts it, so it may be longer. */
export const age = timed({ least: '1ms', most: LONGEST_AGE })

/** Addresses and networks of machines, by number or by the names that Fastify knows. */
export const proxies = format({
  format: 'addresses or networks',
  parse(text): string[] {
    const entries = text.split(',').map((entry) => entry.trim())
    if (!entries.every(isNetwork)) throw new Error('a list such as 10.0.0.0/8,192.168.1.7 or loopback,uniquelocal')
    return entries
  },
})

function isNetwork(entry: string): boolean {
  const [address = '', bits, ...rest] = entry.split('/')
  const version = isIP(address)
  if (version === 0) return ['loopback', 'linklocal', 'uniquelocal'].includes(entry)
  // A network of no bits would believe everybody.
  const fits = bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
  return fits && rest.length === 0
}

const listed = (text: string) => text.split(',').map((entry) => entry.trim())

/** Names or addresses as a Host header has them, without port; in lower case. */
export const hosts = format({
  format: 'host names',
  parse: (text): string[] =>
    listed(text).map((entry) => {
      const name = hostNameOf(isIP(entry) === 6 ? `[${entry}]` : entry)
      if (name === undefined || hasPort(entry))
        throw new Error('a list of names without port, such as push.example.com,192.168.1.7')
      return name
    }),
})

const hasPort = (entry: string) => isIP(entry) !== 6 && /:\d*$/.test(entry)

/** Of a path, such as `/powerauth-push-server`; `/` is none. */
export const pathPrefix = format({
  format: 'path',
  parse(text) {
    if (!/^(?:\/|(?:\/[A-Za-z0-9._~-]+)+)$/.test(text))
      throw new Error('a path such as /powerauth-push-server or /bank/push, or /')
    return text
  },
})

/** As a browser writes them into the Origin header. */
export const origins = format({
  format: 'origins',
  parse: (text): string[] =>
    listed(text).map((entry) => {
      const parsed = /^https?:\/\/[^/?#@]+$/i.test(entry) ? URL.parse(entry) : null
      if (!parsed) throw new Error('a list of origins without path, such as https://push.example.com')
      return parsed.origin
    }),
})

/** Makes the function that defines settings with one of these values. */
export const choice = <const V extends string>(...values: readonly V[]) =>
  format({
    format: values.map((value) => `\`${value}\``).join(' or '),
    parse(text): V {
      const found = values.find((value) => value === text)
      if (found === undefined) throw new Error(values.join(' or '))
      return found
    },
  })
