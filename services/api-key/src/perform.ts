// What each command does. The key itself is all that goes to stdout, so that it can be sent on into a file or a vault.
import { createApiKey } from '@push-server/domain'
import { ConfigError, printable } from '@push-server/runtime'
import type { ApiKeys, ListedApiKey } from '@push-server/store'
import type { Command } from './command.ts'

export interface Output {
  stdout: { write(text: string): unknown }
  stderr: { write(text: string): unknown }
}

/** Throws a ConfigError when there is no such key or application; nothing is changed then. */
export async function perform(command: Command, apiKeys: ApiKeys, { stdout, stderr }: Output): Promise<void> {
  switch (command.verb) {
    case 'create': {
      const unknown = await apiKeys.unknownApplications(command.request.appIds)
      if (unknown.length > 0) throw new ConfigError(`There is no application ${unknown.join(', ')}`)
      const text = await createApiKey(apiKeys, command.request)
      stderr.write('The key, shown this once; send it as Authorization: Bearer <key>\n')
      stdout.write(`${text}\n`)
      return
    }
    case 'list':
      stdout.write(tableOf(await apiKeys.list()))
      return
    case 'revoke':
      if (!(await apiKeys.revoke(command.id))) throw new ConfigError(`No key in force has the id ${command.id}`)
      stderr.write(`Revoked ${command.id}; running services take it for at most ten seconds more.\n`)
      return
  }
}

const HEAD = ['id', 'name', 'scopes', 'applications', 'made', 'last used', 'state']

const rowOf = ({ id, name, scopes, appIds, createdAt, lastUsedAt, revokedAt }: ListedApiKey) => [
  id,
  printable(name),
  scopes.join(','),
  printable(appIds.join(',')) || 'all',
  hourOf(createdAt),
  lastUsedAt ? hourOf(lastUsedAt) : 'never',
  revokedAt ? `revoked ${hourOf(revokedAt)}` : 'in force',
]

const hourOf = (date: Date) => `${date.toISOString().slice(0, 13).replace('T', ' ')}h`

function tableOf(keys: readonly ListedApiKey[]): string {
  const rows = [HEAD, ...keys.map(rowOf)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lineOf = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  return rows.map((row) => `${lineOf(row).trimEnd()}\n`).join('')
}
