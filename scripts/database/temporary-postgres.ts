// A PostgreSQL for one run of a script: what it holds may go when the machine goes down, and goes when it is closed.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../../packages/embedded-postgres/src/index.ts'

const SETTINGS = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '300' }

export interface TemporaryPostgres {
  url: string
  close(): Promise<void>
}

export async function openTemporaryPostgres(): Promise<TemporaryPostgres> {
  const dir = await mkdtemp(join(tmpdir(), 'push-server-'))
  const remove = () => rm(dir, { recursive: true })
  try {
    const postgres = await startPostgres({ dir, settings: SETTINGS })
    const close = async () => {
      await postgres.stop()
      await remove()
    }
    return { url: postgres.url, close }
  } catch (error) {
    await remove()
    throw error
  }
}
