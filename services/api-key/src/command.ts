// The command line, read into what is to be done. Pure.
import { parseArgs } from 'node:util'
import { SCOPES, type Scope } from '@push-server/contract'
import type { KeyRequest } from '@push-server/domain'
import { ConfigError } from '@push-server/runtime'
import type { QuotaChange, QuotaSubject } from '@push-server/store'

export type Command =
  | { verb: 'create'; request: KeyRequest }
  | { verb: 'list' }
  | { verb: 'revoke'; id: string }
  | { verb: 'quota'; subject: QuotaSubject; change: QuotaChange }
  | { verb: 'quotas' }

const USAGE = `create --name <name> --scopes <scope,…> [--apps <application,…>]   shows the new key, once
list                                                                 all keys, without their secrets
revoke <id>                                                          ends a key within ten seconds
quota --key <id> [--rate <n>] [--burst <n>]                          what a key may send, through each gateway
quota --app <application> [--rate <n>] [--burst <n>] [--backlog <n>] what an application may send
quotas                                                               all that differ from the settings
Scopes: ${SCOPES.join(', ')}. A key without --apps is for all applications.
--rate: messages a second; --burst: messages at once; --backlog: deliveries that may wait on one platform. Each takes a
number, or \`default\` for what the settings say.`

const LONGEST_NAME = 255
const LARGEST_QUOTA = 2 ** 31 - 1

const OPTIONS = {
  create: ['name', 'scopes', 'apps'],
  quota: ['key', 'app', 'rate', 'burst', 'backlog'],
} as const
type Option = (typeof OPTIONS)[keyof typeof OPTIONS][number]
type Values = Partial<Record<Option, string>>

/** Throws a ConfigError that says what is wrong and how it is done. */
export function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parsed(args)
  const [verb, id, ...rest] = positionals
  if (rest.length > 0) throw failure(`What is ${rest.join(' ')}?`)
  checkOptions(verb, values)
  if (verb === 'create' && id === undefined) return { verb, request: requestOf(values) }
  if (verb === 'quota' && id === undefined) return { verb, subject: subjectOf(values), change: changeOf(values) }
  if ((verb === 'list' || verb === 'quotas') && id === undefined) return { verb }
  if (verb === 'revoke' && id !== undefined) return { verb, id }
  throw failure(
    verb === 'revoke' ? 'Which key? list shows their ids' : 'One of create, list, revoke, quota and quotas is required',
  )
}

function checkOptions(verb: string | undefined, values: Values): void {
  const own: readonly string[] = verb === 'create' || verb === 'quota' ? OPTIONS[verb] : []
  const foreign = Object.keys(values).filter((name) => !own.includes(name))
  if (foreign.length === 0) return
  const text = Object.entries(OPTIONS).map(([one, names]) => `--${names.join(', --')} go with ${one}`)
  throw failure(text.join('; '))
}

function parsed(args: readonly string[]): { values: Values; positionals: string[] } {
  const text = { type: 'string' } as const
  const ofKeys = { name: text, scopes: text, apps: text }
  const ofQuotas = { key: text, app: text, rate: text, burst: text, backlog: text }
  try {
    return parseArgs({ args: [...args], options: { ...ofKeys, ...ofQuotas }, allowPositionals: true })
  } catch (error) {
    throw failure((error as Error).message)
  }
}

function requestOf({ name = '', scopes, apps }: Values): KeyRequest {
  if (name === '' || name.length > LONGEST_NAME) throw failure(`--name is required, up to ${LONGEST_NAME} characters`)
  const named = listed('--scopes', scopes ?? '')
  const unknown = named.filter((scope) => !isScope(scope))
  if (unknown.length > 0) throw failure(`There is no scope ${unknown.join(', ')}`)
  return { name, scopes: named.filter(isScope), appIds: apps === undefined ? [] : listed('--apps', apps) }
}

function subjectOf({ key, app, backlog }: Values): QuotaSubject {
  if (key !== undefined && app !== undefined) throw failure('--key and --app exclude each other')
  if (key !== undefined && backlog !== undefined) throw failure('--backlog goes with --app')
  if (key) return { keyId: key }
  if (app) return { appId: app }
  throw failure('--key or --app is required')
}

function changeOf(values: Values): QuotaChange {
  const { rate, burst, backlog } = values
  if (rate === undefined && burst === undefined && backlog === undefined)
    throw failure('--rate, --burst or --backlog is required; quotas shows what there is')
  return {
    messagesPerSecond: quotaOf('--rate', rate),
    burst: quotaOf('--burst', burst),
    backlog: quotaOf('--backlog', backlog),
  }
}

/** Undefined leaves the value as it is, null goes back to the settings. */
function quotaOf(option: string, text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined
  if (text === 'default') return null
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > LARGEST_QUOTA)
    throw failure(`${option} takes a whole number from 1 to ${LARGEST_QUOTA}, or default`)
  return value
}

/** Each once. An empty list is an error: of applications it would mean all of them. */
function listed(option: string, text: string): string[] {
  const items = [...new Set(text.split(',').map((item) => item.trim()))]
  if (items.includes('')) throw failure(`${option} requires a list with commas`)
  return items
}

const isScope = (text: string): text is Scope => SCOPES.some((scope) => scope === text)

const failure = (message: string) => new ConfigError(`${message}\n\n${USAGE}`)
