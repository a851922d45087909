// The command line, read into what is to be done. Pure.
import { parseArgs } from 'node:util'
import { ConfigError, type Environment } from '@push-server/runtime'

export interface Command {
  /** URL of a PostgreSQL database, or a folder of exports. */
  source: string
  /** Base of the API. */
  target: string
  /** Whose times the database has. */
  zone: string
  /** Shows what would be moved, and moves nothing. */
  dryRun: boolean
  /** Base under which clients call: they are to find there what they know. Nothing is moved then. */
  check: string | undefined
  /** API key of the target. */
  key: string | undefined
}

const USAGE = `--source <postgresql://… | folder>   the database of PowerAuth Push Server, or a folder of exports
--target <URL>    base of the API here, by default http://127.0.0.1:8080
--zone <zone>     time zone of the times in the database, by default UTC
--dry-run         shows what would be moved, and moves nothing
--check <URL>     checks what clients get under the base that they use, and moves nothing
PUSH_API_KEY holds an API key with the scope admin that is bound to no application.`

/** Throws a ConfigError that says what is wrong and how it is done. */
export function readCommand(args: readonly string[], { PUSH_API_KEY: key }: Environment): Command {
  const { source, target = 'http://127.0.0.1:8080', zone, check, 'dry-run': dryRun = false } = parsed(args)
  if (!source) throw failure('--source is required')
  if (!isDatabase(source) && zone !== undefined && zone !== 'UTC')
    throw failure('--zone goes with a database: exports have their times in UTC')
  return {
    source,
    target: webAddress('--target', target),
    zone: zoneOf(zone ?? 'UTC'),
    dryRun,
    check: check === undefined ? undefined : webAddress('--check', check),
    key: key || undefined,
  }
}

export const isDatabase = (source: string) => /^postgres(ql)?:\/\//.test(source)

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = { source: text, target: text, zone: text, check: text, 'dry-run': { type: 'boolean' } } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw failure((error as Error).message)
  }
}

/** Without a slash at the end. */
function webAddress(option: string, text: string): string {
  const parsed = URL.parse(text)
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.search || parsed.hash)
    throw failure(`${option} takes an address that begins with https:// or http://, without user name and query`)
  return text.replace(/\/+$/, '')
}

/** PostgreSQL would take `+02:00` for two hours west. */
function zoneOf(zone: string): string {
  if (!/^[A-Za-z]/.test(zone) || !isZone(zone)) throw failure(`--zone takes a name such as UTC or Europe/Prague`)
  return zone
}

function isZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const failure = (message: string) => new ConfigError(`${message}\n\n${USAGE}`)
