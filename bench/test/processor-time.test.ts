// The processor time of a process tree: children that run, and children that have ended.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { platform } from 'node:os'
import t from 'tap'
import { waitFor } from '@push-server/testing'
import { processorTime } from '../src/processor-time.ts'

const skip = platform() !== 'linux' && 'only Linux shows it'

t.test('nothing of what a tree has used is lost when a child ends', { skip }, async (t) => {
  // A child works, says so and stays until it gets the message to end; then the parent stays.
  const work = 'let n = 0; while (process.cpuUsage().user < 300_000) n++'
  const child = `${work}; console.log("worked"); process.stdin.once("data", () => process.exit())`
  const script = `'${process.execPath}' -e '${child}'; echo ended; read line`
  const parent = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => parent.kill('SIGKILL'))
  let said = ''
  parent.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))

  await waitFor('the child to have worked', () => said.includes('worked'))
  const whileItRuns = processorTime(parent.pid) ?? NaN
  t.ok(whileItRuns > 0.28, `${whileItRuns} s with a child that runs`)
  parent.stdin.write('end\n')
  await waitFor('the child to have ended', () => said.includes('ended'))
  const afterwards = processorTime(parent.pid) ?? NaN
  // Ended children are counted in ticks of 10 ms, user and system each.
  t.ok(afterwards >= whileItRuns - 0.02, `${afterwards} s once it has ended`)

  parent.stdin.end('\n')
  await once(parent, 'exit')
  t.equal(processorTime(parent.pid), undefined, 'a process that has ended has no figure')
})
