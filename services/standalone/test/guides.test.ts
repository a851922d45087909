// The commands of README.md and docs/api.md, pasted as they stand against what `npm start` runs. The ```json after a block of
// commands is the response to the last of them: what it shows is there, with … for what differs; every other response is OK.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startDemo, type Demo } from './_demo.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')

const END_OF_BLOCK = 'the next block begins'
/** Each response on a line of its own; errors are printed. */
const RESPONSE_PER_LINE = 'curl() { command curl --silent --show-error --write-out "\\n" "$@"; }'

interface Commands {
  text: string
  /** What the guide shows as the response. */
  response: unknown
}

function commandsOf(guide: string): Commands[] {
  const blocks = [...guide.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text = '']) => ({ language, text }))
  return blocks.flatMap(({ language, text }, index) => {
    if (language !== 'sh' || !text.includes('curl')) return []
    const next = blocks[index + 1]
    return [{ text, response: next?.language === 'json' ? (JSON.parse(next.text) as unknown) : { status: 'OK' } }]
  })
}

/** Every member that is shown is there with its value; one named … stands for others. */
function fits(value: unknown, shown: unknown): boolean {
  if (typeof shown === 'string' && shown.includes('…')) return value !== undefined
  if (Array.isArray(shown)) return Array.isArray(value) && shown.every((item, index) => fits(value[index], item))
  if (typeof shown !== 'object' || shown === null) return value === shown
  const members = Object.entries(shown).filter(([name]) => !name.includes('…'))
  const has = (name: string, member: unknown) => fits((value as Record<string, unknown>)[name], member)
  return typeof value === 'object' && value !== null && members.every(([name, member]) => has(name, member))
}

/** The responses to each block of commands, which one shell runs after the other. */
async function paste(commands: readonly Commands[], { api, phones }: Demo): Promise<unknown[][]> {
  const script = [RESPONSE_PER_LINE, ...commands.map(({ text }) => `${text}echo '${END_OF_BLOCK}'`)].join('\n')
  const here = script.replaceAll('http://127.0.0.1:8080', api.url).replaceAll('http://127.0.0.1:8090', phones)
  const folder = await mkdtemp(join(tmpdir(), 'push-guide-'))
  try {
    const { stdout } = await run('bash', ['-euc', here], { cwd: folder })
    return stdout.split(END_OF_BLOCK).map(responsesIn)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const responsesIn = (output: string) =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): unknown => JSON.parse(line))

for (const [guide, least] of [
  ['README.md', 3],
  ['docs/api.md', 25],
  ['docs/campaigns.md', 22],
] as const)
  t.test(guide, async (t) => {
    const commands = commandsOf(await readFile(join(root, guide), 'utf8'))
    const responses = await paste(commands, await startDemo(t))
    for (const [index, { text, response }] of commands.entries()) {
      const given = responses[index] ?? []
      t.ok(given.length > 0, `${text} gets a response`)
      t.ok(fits(given.at(-1), response), `${text}\nanswers as shown: ${JSON.stringify(given.at(-1))}`)
      for (const each of given.slice(0, -1)) t.match(each, { status: 'OK' }, text)
    }
    t.ok(responses.flat().length >= least, `${responses.flat().length} calls`)
  })
