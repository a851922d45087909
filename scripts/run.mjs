// From a fresh clone to a running command: `node scripts/run.mjs <script> [arguments]` fetches what is missing (a Node.js
// that runs TypeScript, the dependencies, the generated database client), then runs the script. Every script of
// package.json goes through it. Like all of setup/ it is plain JavaScript, without dependencies, for Node.js 18 and later.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installDependencies } from './setup/dependencies.mjs'
import { findNode } from './setup/node.mjs'
import { generatePrismaClient } from './setup/prisma-client.mjs'
import { runInForeground } from './setup/run-in-foreground.mjs'
import { pathStartingWith, StepFailed } from './setup/step.mjs'

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'))
try {
  const node = await findNode()
  process.env.PATH = pathStartingWith(dirname(node))
  // Compiled code is kept between runs, which takes a third off the start of a process.
  process.env.NODE_COMPILE_CACHE ??= join(process.cwd(), 'node_modules/.cache/compile')
  await installDependencies()
  await generatePrismaClient(node)
  process.exitCode = await runInForeground(node, process.argv.slice(2))
} catch (error) {
  if (!(error instanceof StepFailed)) throw error
  process.exitCode = 1 // the step has said why
}
