// Steps of the setup: one line each, with its time. The output of a command is shown when it fails, or when DEBUG is set.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter } from 'node:path'

export class StepFailed extends Error {}

/** Does `work` under a line with its title. Throws StepFailed once the reason is printed. */
export async function step(title, work) {
  const start = performance.now()
  process.stderr.write(`${title} … `)
  try {
    await work()
    process.stderr.write(`${seconds(start)} s\n`)
  } catch (error) {
    process.stderr.write(`failed after ${seconds(start)} s\n${error.message}\n`)
    throw new StepFailed(title, { cause: error })
  }
}

/** Runs a command out of sight; throws an error whose message is what it printed. */
export async function quietly(command, args) {
  const shell = process.platform === 'win32' // npm and npx are .cmd files there
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], shell })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text
      if (process.env.DEBUG) process.stderr.write(text)
    })
  }
  const [code, signal] = await once(child, 'close')
  if (code !== 0) throw new Error(`${said.trim()}\n(${[command, ...args].join(' ')}: ${signal ?? `exit code ${code}`})`)
}

export function pathStartingWith(folder) {
  return [folder, process.env.PATH].filter(Boolean).join(delimiter)
}

function seconds(start) {
  return ((performance.now() - start) / 1000).toFixed(1)
}
