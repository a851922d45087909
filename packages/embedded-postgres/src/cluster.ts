// The cluster on disk: PostgreSQL's data folder and the password that opens it, made together or not at all.
//   <dir>/cluster/data  <dir>/cluster/password  <dir>/postgres.log
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { programEnvironment, type Command } from './programs.ts'

const UNFINISHED = 'cluster.new-'
const ABANDONED_AFTER_MS = 10 * 60_000

export interface Cluster {
  data: string
  log: string
  password: string
}

/** Opens the cluster below `dir`; the first time, makes it. */
export async function openCluster(dir: string, initdb: Command): Promise<Cluster> {
  const folder = join(dir, 'cluster')
  await mkdir(dir, { recursive: true, mode: 0o700 })
  if (!(await exists(folder))) await createCluster(dir, folder, initdb)
  return {
    data: join(folder, 'data'),
    log: join(dir, 'postgres.log'),
    password: await readFile(join(folder, 'password'), 'utf8'),
  }
}

/**
 * Everything is made in a folder of its own and renamed when complete. So a start that was killed leaves no half-made
 * cluster, and of several first starts at once the first rename wins; the others use what it made.
 */
async function createCluster(dir: string, folder: string, initdb: Command): Promise<void> {
  await removeAbandoned(dir)
  const draft = await mkdtemp(join(dir, UNFINISHED))
  try {
    const passwordFile = join(draft, 'password')
    await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 })
    await runInitdb(initdb, join(draft, 'data'), passwordFile)
    await rename(draft, folder)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (!(await exists(folder))) throw error
  }
}

async function runInitdb([program, ...args]: Command, data: string, passwordFile: string): Promise<void> {
  // --no-sync: the operating system has written the new files long before they hold anything worth keeping.
  const options = ['--username=postgres', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions']
  const auth = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  try {
    await promisify(execFile)(program, [...args, `--pgdata=${data}`, ...options, ...auth], {
      env: programEnvironment(),
    })
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim()
    throw new Error(`PostgreSQL could not make its data folder: ${said || String(cause)}`, { cause })
  }
}

async function removeAbandoned(dir: string): Promise<void> {
  const drafts = (await readdir(dir)).filter((name) => name.startsWith(UNFINISHED))
  for (const path of drafts.map((name) => join(dir, name))) {
    // Another first start at this moment may rename or remove its draft at any time.
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    if (age > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true })
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
