// One setting of a process: its name in the environment, how its text is read, what it means.
import { isIP } from 'node:net'
import { hostNameOf } from './host-names.ts'

export interface Setting<T> {
  readonly name: string
  readonly doc: string
  /** As it would be written in the environment; undefined = no value. */
  readonly fallback: string | undefined
  readonly secret: boolean
  /** The form of the value, for people. */
  readonly format: string
  /** Throws with a text that says what form is wanted. */
  parse(text: string): T
}

type Options = { fallback?: string; secret?: boolean }
type Definition<T> = { format: string; parse: (text: string) => T }

/** Makes the function that defines settings of one form. */
const format =
  <T>(definition: Definition<T>) =>
  <const O extends Options = Options>(name: string, doc: string, options: O = {} as O) => {
    const { fallback, secret = false }: Options = options
    return { name, doc, fallback, secret, ...definition } as Setting<O extends { fallback: string } ? T : T | undefined>
  }

function whole(text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most) throw new Error(`a whole number from ${least} to ${most}`)
  return value
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A longer one would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

const LONGEST_AGE = 3650 * 86_400_000

function milliseconds(text: string, least: number, most = LONGEST_TIMER): number {
  const [, amount, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? []
  const factor = UNITS[unit ?? '']
  if (amount === undefined || factor === undefined) throw new Error('a number with a unit: 500ms, 30s, 5m, 24h, 7d')
  const value = Number(amount) * factor
  if (value < least || value > most) throw new Error(`a duration from ${least}ms to ${Math.floor(most / 86_400_000)}d`)
  return value
}

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
/** Without the slash at its end. */
export const url = format({ format: 'address', parse: webAddress })
export const flag = format({ format: '`true` or `false`', parse: yesOrNo })
/** At least one of something. */
export const count = format({ format: 'whole number', parse: (value) => whole(value, [1, 2 ** 31 - 1]) })
export const port = format({ format: 'port', parse: (value) => whole(value, [0, 65_535]) })
/** Read into milliseconds; what a timer can count. */
export const duration = format({ format: 'duration (`500ms`, `30s`, `24h`)', parse: (value) => milliseconds(value, 0) })
/** A duration that something is repeated after, or that is divided. */
export const period = format({ format: 'duration (`500ms`, `30s`, `24h`)', parse: (value) => milliseconds(value, 1) })
/** How long something is kept: no timer counts it, so it may be longer. */
export const age = format({
  format: 'duration (`24h`, `30d`)',
  parse: (value) => milliseconds(value, 1, LONGEST_AGE),
})

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
