// What each command does. The key itself is all that goes to stdout, so that it can be sent on into a file or a vault.
import { createApiKey } from '@push-server/domain'
import { ConfigError, printable } from '@push-server/runtime'
import type { ApiKeyStore, ListedApiKey, ListedQuota } from '@push-server/store'
import type { Command } from './command.ts'

export interface Output {
  stdout: { write(text: string): unknown }
  stderr: { write(text: string): unknown }
}

/** Throws a ConfigError when there is no such key or application; nothing is changed then. */
export async function perform(command: Command, store: ApiKeyStore, { stdout, stderr }: Output): Promise<void> {
  const { apiKeys, quotas } = store
  switch (command.verb) {
    case 'create': {
      const created = await createApiKey(apiKeys, command.request)
      if ('unknown' in created) throw new ConfigError(`There is no application ${created.unknown.join(', ')}`)
      stderr.write('The key, shown this once; send it as Authorization: Bearer <key>\n')
      stdout.write(`${created.text}\n`)
      return
    }
    case 'list':
      stdout.write(tableOf(HEAD, (await apiKeys.list()).map(rowOf)))
      return
    case 'revoke':
      if (!(await apiKeys.revoke(command.id))) throw new ConfigError(`No key in force has the id ${command.id}`)
      stderr.write(`Revoked ${command.id}; running services take it for at most ten seconds more.\n`)
      return
    case 'quota': {
      const { subject, change } = command
      if (!(await quotas.change(subject, change)))
        throw new ConfigError(
          'keyId' in subject
            ? `No key in force has the id ${subject.keyId}`
            : `There is no application ${subject.appId}`,
        )
      stderr.write('Changed; running gateways go by it within ten seconds.\n')
      return
    }
    case 'quotas':
      stdout.write(tableOf(QUOTA_HEAD, (await quotas.list()).map(quotaRowOf)))
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

const QUOTA_HEAD = ['key', 'application', 'messages a second', 'at once', 'backlog']

const quotaRowOf = ({ keyId, appId, messagesPerSecond, burst, backlog }: ListedQuota) => [
  keyId ?? '',
  appId ?? '',
  ...[messagesPerSecond, burst, backlog].map((value) => (value === null ? 'default' : String(value))),
]

function tableOf(head: readonly string[], body: readonly string[][]): string {
  const rows = [head, ...body]
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lineOf = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  return rows.map((row) => `${lineOf(row).trimEnd()}\n`).join('')
}
