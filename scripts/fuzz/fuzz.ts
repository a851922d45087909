// Sends random requests to a server and reports what must not happen: a response 5xx, no response in time, a process that ends.
import { Agent, request as httpRequest } from 'node:http'
import fc from 'fast-check'
import { operationsOf, type ApiDocument } from '../../packages/testing/src/index.ts'
import { fuzzRequests, type FuzzRequest } from './requests.ts'
import type { FuzzedServer } from './server.ts'

const AT_ONCE = 8
/** The slowest refusal waits for a message of two seconds; the rest is for slow machines. */
const RESPONSE_WITHIN_MS = 60_000
const BATCH = 100

export interface FuzzOptions {
  requests: number
  seed: number
  /** Actions after that many responses, with nothing under way. */
  at?: Readonly<Record<number, () => Promise<void>>>
}

export interface FuzzReport {
  /** How many responses had each status. */
  statuses: Record<string, number>
  /** One line for each request whose response must not occur. */
  failures: string[]
  slowestMs: number
}

export async function fuzz(server: FuzzedServer, { requests, seed, at = {} }: FuzzOptions): Promise<FuzzReport> {
  const report: FuzzReport = { statuses: {}, failures: [], slowestMs: 0 }
  const document = (await (await fetch(`http://127.0.0.1:${server.port}/v3/api-docs`)).json()) as ApiDocument
  const requestArbitrary = fuzzRequests(operationsOf(document))
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  for (let done = 0; done < requests && server.isRunning(); done += BATCH) {
    const batch = fc.sample(requestArbitrary, { seed: seed + done, numRuns: Math.min(BATCH, requests - done) })
    const waiting = batch.values()
    // A shared iterator: each of them takes the next one when it is free.
    await Promise.all(Array.from({ length: AT_ONCE }, () => sendAll(waiting, { port: server.port, agent, report })))
    await at[done + batch.length]?.()
  }
  agent.destroy()
  if (!server.isRunning()) report.failures.push('the server has ended')
  return report
}

interface Sender {
  port: number
  agent: Agent
  report: FuzzReport
}

async function sendAll(waiting: Iterable<FuzzRequest>, { port, agent, report }: Sender): Promise<void> {
  for (const each of waiting) {
    const begin = performance.now()
    const status = await send(each, port, agent)
    report.slowestMs = Math.max(report.slowestMs, Math.round(performance.now() - begin))
    report.statuses[status] = (report.statuses[status] ?? 0) + 1
    if (typeof status === 'string' || status >= 500) report.failures.push(`${status}: ${reported(each)}`)
  }
}

const reported = ({ method, path, headers, body }: FuzzRequest) =>
  `${method} ${path} ${JSON.stringify(headers)} ${JSON.stringify(body)?.slice(0, 2000)}`

/** The status; a word when there was none. */
function send({ method, path, headers, body }: FuzzRequest, port: number, agent: Agent): Promise<number | string> {
  return new Promise((resolve) => {
    const length = { 'content-length': String(Buffer.byteLength(body ?? '')) }
    const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers: { ...headers, ...length }, agent })
    sent.setTimeout(RESPONSE_WITHIN_MS, () => sent.destroy(new Error('no response in time')))
    sent.once('error', (error) => resolve(error.message))
    sent.once('response', (response) => {
      response.once('error', (error) => resolve(error.message))
      response.once('end', () => resolve(response.statusCode ?? 'no status'))
      response.resume()
    })
    sent.end(body)
  })
}
