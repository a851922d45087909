// The commands of README.md and the guides, pasted as they stand against what `npm start` runs, twice on one server. The ```json after a block of
// commands is the response to the last of them: what it shows is there, with … for what differs; every other response is OK.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { LARGEST_PAGE } from '@push-server/contract'
import { startDemo, type Demo } from './_demo.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')

const END_OF_BLOCK = 'the next block begins'
/** Each response on a line of its own; errors are printed. */
const RESPONSE_PER_LINE = 'curl() { command curl --max-time 10 --silent --show-error --write-out "\\n" "$@"; }'

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
    // A loop in a guide that waits for what does not come fails the test.
    const { stdout } = await run('bash', ['-euc', here], { cwd: folder, timeout: 20_000 })
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

/** In the order in which README.md sends its readers to them. */
const GUIDES = [
  ['README.md', 3],
  ['docs/api.md', 25],
  ['docs/messages.md', 3],
  ['docs/campaigns.md', 22],
] as const

const demo = await startDemo(t)

// A reader who begins again, or comes after a colleague, has the same server with all that was done before.
for (const time of ['once', 'once more on the same server'])
  for (const [guide, least] of GUIDES)
    t.test(`${guide}, ${time}`, async (t) => {
      const commands = commandsOf(await readFile(join(root, guide), 'utf8'))
      const responses = await paste(commands, demo)
      for (const [index, { text, response }] of commands.entries()) {
        const given = responses[index] ?? []
        t.ok(given.length > 0, `${text} gets a response`)
        t.ok(fits(given.at(-1), response), `${text}\nanswers as shown: ${JSON.stringify(given.at(-1))}`)
        for (const each of given.slice(0, -1)) t.match(each, { status: 'OK' }, text)
      }
      t.ok(responses.flat().length >= least, `${responses.flat().length} calls`)
    })

t.test('README.md sends its readers to the guides in this order', async (t) => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const [, row = ''] = /^\| call it \|(.*)\|$/m.exec(readme) ?? []
  const linked = [...row.matchAll(/\((docs\/[^)]+)\)/g)].map(([, path]) => path)
  t.same(linked, GUIDES.map(([guide]) => guide).slice(1))
})

t.test('pages say what a page may have', async (t) => {
  const guides = await Promise.all(
    ['messages', 'campaigns', 'api'].map((name) => readFile(join(root, `docs/${name}.md`), 'utf8')),
  )
  const said = guides.flatMap((guide) =>
    [...guide.matchAll(/`[^`]*\bsize=?` ?\(?[^.`]{0,12}\bat most (\d+)/g)].map(([, size]) => Number(size)),
  )
  t.ok(said.length >= 2, `${said.length} places`)
  t.same(new Set(said), new Set([LARGEST_PAGE]))
})
