// The dependencies, exactly as pnpm-lock.yaml names them, by the pnpm that package.json names.
import { readFileSync } from 'node:fs'
import { makeOnce } from './stamp.mjs'
import { quietly, step } from './step.mjs'

const EXPECTED = {
  name: 'dependencies',
  inputs: ['pnpm-lock.yaml', 'pnpm-workspace.yaml'],
  product: 'node_modules/.modules.yaml',
}

export async function installDependencies() {
  await makeOnce(EXPECTED, () => step('Installing dependencies', install))
}

async function install() {
  const { packageManager } = JSON.parse(readFileSync('package.json', 'utf8'))
  // All of them, whatever NODE_ENV says; and no question when node_modules was made by another pnpm.
  const flags = ['--frozen-lockfile', '--prod=false', '--config.confirm-modules-purge=false']
  await quietly('npx', ['--yes', packageManager, 'install', ...flags])
}
