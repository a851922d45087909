// Released clients of the reference server in Java: fetched once by Maven, kept in the folder of tools, and called through a program of ours.
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const HERE = import.meta.dirname
const TOOLS = join(HERE, '../../../../.tools')
const LEAST_JAVA = 17
const FETCH_MS = 300_000

const run = promisify(execFile)

/** A version of the client, and of the Spring Boot that it was released with. */
export interface Release {
  client: string
  boot: string
}

/** What came back, or what the client threw and what the server had said. */
export interface Outcome {
  // The checks read models of many shapes; what is not there fails their assertions.
  value?: any // oxlint-disable-line typescript/no-explicit-any
  exception?: string
  status?: number
  body?: string
  error?: { responseObject: { code: string; message: string } } | null
}

export interface ClientCall {
  method: string
  arguments: readonly unknown[]
  client: 'plain' | 'strict'
  url: string
  user?: string
  password?: string
}

export interface ReferenceClient {
  /** Name and types of each public method. */
  methods: readonly string[]
  call(call: ClientCall): Promise<Outcome>
  end(): void
}

/** Resolves with the folder of its jars, or says why it cannot be had. */
export async function fetchRelease(release: Release): Promise<{ jars: string } | { missing: string }> {
  const java = await run('java', ['-version']).catch(() => undefined)
  const [, version = '0'] = /version "(\d+)/.exec(java?.stderr ?? '') ?? []
  if (Number(version) < LEAST_JAVA) return { missing: `Java ${LEAST_JAVA} is not installed` }
  const jars = join(TOOLS, 'java-clients', release.client)
  if (existsSync(jars)) return { jars }
  if (!(await run('mvn', ['-v']).catch(() => undefined))) return { missing: 'Maven is not installed' }
  return fetchJars(release, jars)
}

/** Whole or not at all, also when two runs do it at once. */
async function fetchJars({ client, boot }: Release, jars: string): Promise<{ jars: string } | { missing: string }> {
  await mkdir(join(jars, '..'), { recursive: true })
  const folder = await mkdtemp(join(TOOLS, 'java-clients', `${client}-`))
  const settings = {
    'client.version': client,
    'boot.version': boot,
    'maven.repo.local': join(TOOLS, 'maven'),
    outputDirectory: folder,
  }
  const flags = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
  try {
    const goal = ['-B', '-q', '-f', join(HERE, 'pom.xml'), ...flags, 'dependency:copy-dependencies']
    await run('mvn', goal, { timeout: FETCH_MS })
    if (!existsSync(jars)) await rename(folder, jars)
    return { jars }
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string }
    const [reason = String(error)] = /\[ERROR\] \S.*/.exec(stdout) ?? []
    return { missing: `Maven cannot fetch it: ${reason.slice(0, 200)}` }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export async function startReferenceClient(jars: string): Promise<ReferenceClient> {
  const flags = ['-XX:TieredStopAtLevel=1', '-cp', join(jars, '*'), join(HERE, 'ReferenceClient.java')]
  const java = spawn('java', flags, { stdio: ['pipe', 'pipe', 'pipe'] })
  const lines = createInterface({ input: java.stdout })[Symbol.asyncIterator]()
  let said = ''
  java.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))

  async function read(): Promise<unknown> {
    for (;;) {
      const next = await lines.next()
      if (next.done) throw new Error(`The Java program ended: ${said}`)
      if (next.value.startsWith('@')) return JSON.parse(next.value.slice(1))
    }
  }

  const { methods } = (await read()) as Pick<ReferenceClient, 'methods'>
  return {
    methods,
    async call(call) {
      java.stdin.write(`${JSON.stringify(call)}\n`)
      return (await read()) as Outcome
    },
    end: () => java.stdin.end(),
  }
}
