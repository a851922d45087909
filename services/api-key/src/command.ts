// The command line, read into what is to be done. Pure.
import { parseArgs } from 'node:util'
import { SCOPES, type Scope } from '@push-server/contract'
import type { KeyRequest } from '@push-server/domain'
import { ConfigError } from '@push-server/runtime'

export type Command = { verb: 'create'; request: KeyRequest } | { verb: 'list' } | { verb: 'revoke'; id: string }

const USAGE = `create --name <name> --scopes <scope,…> [--apps <application,…>]   shows the new key, once
list                                                                 all keys, without their secrets
revoke <id>                                                          ends a key within ten seconds
Scopes: ${SCOPES.join(', ')}. A key without --apps is for all applications.`

const LONGEST_NAME = 255

/** Throws a ConfigError that says what is wrong and how it is done. */
export function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parsed(args)
  const [verb, id, ...rest] = positionals
  if (rest.length > 0) throw fault(`What is ${rest.join(' ')}?`)
  if (verb === 'create' && id === undefined) return { verb, request: requestOf(values) }
  if (Object.keys(values).length > 0) throw fault('--name, --scopes and --apps go with create')
  if (verb === 'list' && id === undefined) return { verb }
  if (verb === 'revoke' && id !== undefined) return { verb, id }
  throw fault(verb === 'revoke' ? 'Which key? list shows their ids' : 'One of create, list and revoke is wanted')
}

interface Values {
  name?: string
  scopes?: string
  apps?: string
}

function parsed(args: readonly string[]): { values: Values; positionals: string[] } {
  const text = { type: 'string' } as const
  try {
    const options = { name: text, scopes: text, apps: text }
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw fault((error as Error).message)
  }
}

function requestOf({ name = '', scopes, apps }: Values): KeyRequest {
  if (name === '' || name.length > LONGEST_NAME) throw fault(`--name is wanted, up to ${LONGEST_NAME} characters`)
  const named = listed('--scopes', scopes ?? '')
  const unknown = named.filter((scope) => !isScope(scope))
  if (unknown.length > 0) throw fault(`There is no scope ${unknown.join(', ')}`)
  return { name, scopes: named.filter(isScope), appIds: apps === undefined ? [] : listed('--apps', apps) }
}

/** Each once. An empty list is a fault: of applications it would mean all of them. */
function listed(option: string, text: string): string[] {
  const items = [...new Set(text.split(',').map((item) => item.trim()))]
  if (items.includes('')) throw fault(`${option} is wanted as a list with commas`)
  return items
}

const isScope = (text: string): text is Scope => SCOPES.some((scope) => scope === text)

const fault = (message: string) => new ConfigError(`${message}\n\n${USAGE}`)
