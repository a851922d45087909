// The tree of another commit, so that its processes can run beside ours: a git worktree below .data/trees, which is made at first
// use and used again later. The commit's own setup installs its dependencies.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface Tree {
  /** Absolute; no slash at its end. */
  root: string
  /** How tables and messages name it. */
  name: string
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
const TREES = join(ROOT, '.data/trees')
/** What runs in production: a commit that changes nothing of it has the same processes as the one before. */
const PRODUCT = ['packages', 'services', 'prisma', 'pnpm-lock.yaml', ...['testing', 'simulator', '*/test'].map(without)]

export const THIS_TREE: Tree = { root: ROOT, name: 'this tree' }

/** Ready to run: with its files as committed, its dependencies and what its setup generates. */
export async function openTree(commit: string): Promise<Tree> {
  const id = await commitId(commit)
  const name = id.slice(0, 7)
  const root = join(TREES, id.slice(0, 12))
  if (!(await isWhole(root, id))) await checkOut(root, id)
  await setUp(root)
  return { root, name }
}

/**
 * The commit whose processes ours have to work beside: HEAD while product code is changed and not committed, otherwise the one
 * before the last commit that changed product code. A merge counts as one commit.
 */
export async function formerCommit(): Promise<string> {
  if ((await git('status', '--porcelain', '--', ...PRODUCT)) !== '') return commitId('HEAD')
  const last = await git('rev-list', '-1', '--first-parent', 'HEAD', '--', ...PRODUCT)
  return commitId(`${last}^`)
}

async function commitId(commit: string): Promise<string> {
  try {
    return await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`)
  } catch (cause) {
    throw new Error(await whyMissing(commit), { cause })
  }
}

async function whyMissing(commit: string): Promise<string> {
  const shallow = await git('rev-parse', '--is-shallow-repository').catch(() => 'not a clone')
  if (shallow === 'not a clone') return `${ROOT} is no git clone: commits of it cannot be checked out`
  const remedy =
    shallow === 'true'
      ? 'The clone is shallow: `git fetch --unshallow` brings all commits, `git fetch --deepen 50` the last ones.'
      : 'If it is on another branch, `git fetch --all` brings it.'
  return `There is no commit ${commit} in this clone. ${remedy}`
}

/** Without a worktree of its own, git would speak of the clone around the folder. */
async function isWhole(root: string, id: string): Promise<boolean> {
  try {
    const [top, head] = (await git('-C', root, 'rev-parse', '--show-toplevel', 'HEAD')).split('\n')
    if (top !== (await realpath(root)) || head !== id) return false
    return (await git('-C', root, 'status', '--porcelain', '--untracked-files=no')) === ''
  } catch {
    // Not there, or its registration was pruned: it is made anew.
    return false
  }
}

async function checkOut(root: string, id: string): Promise<void> {
  process.stderr.write(`Checking out ${id.slice(0, 7)} to ${root}\n`)
  await rm(root, { recursive: true, force: true })
  // Forced twice: whatever is registered for the folder, it is gone.
  await git('worktree', 'add', '--force', '--force', '--detach', root, id)
}

/** By the commit's own script, which says what it does and leaves out what is done. */
async function setUp(root: string): Promise<void> {
  const setup = spawn(process.execPath, ['scripts/run.mjs', '--eval', '0'], { cwd: root, stdio: ['ignore', 2, 2] })
  const [code, signal] = await once(setup, 'exit')
  if (code !== 0) throw new Error(`The setup of ${root} ended with ${signal ?? `exit code ${code}`}`)
}

function without(folder: string): string {
  return `:(exclude)packages/${folder}`
}

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 })
  return stdout.trim()
}
