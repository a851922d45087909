// The environment of `npm start`: what is not given is made below DATA_DIR, and kept there for the next start.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Environment } from '@push-server/runtime'

export interface Folders {
  root: string
  postgres: string
  simulator: string
}

export async function makeFolders(dataDir: string): Promise<Folders> {
  const root = resolve(dataDir)
  await mkdir(root, { recursive: true, mode: 0o700 })
  return { root, postgres: join(root, 'postgres'), simulator: join(root, 'simulator') }
}

/** The key of the stored secrets; made on the first start, readable by its owner only. */
export async function encryptionKey({ root }: Folders): Promise<string> {
  const file = join(root, 'encryption.key')
  try {
    // `wx` fails when it exists: of two first starts at once both then use the one that was made.
    await writeFile(file, `${randomBytes(32).toString('base64')}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return (await readFile(file, 'utf8')).trim()
}

/** Holds the certificate authority of the simulator, for the setting that names one. */
export const authorityFile = ({ simulator }: Folders) => join(simulator, 'authority.pem')

export async function writeAuthority(folders: Folders, pem: string): Promise<string> {
  await mkdir(folders.simulator, { recursive: true })
  const file = authorityFile(folders)
  await writeFile(file, pem)
  return file
}

/** Quiet and readable on a terminal by default. */
export const terminalDefaults = (environment: Environment): Environment => ({
  LOG_LEVEL: 'warn',
  LOG_PRETTY: 'true',
  // What is empty is not given: Compose passes every variable it knows.
  ...Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== '')),
})
