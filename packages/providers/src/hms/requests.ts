// Which targets of a chunk share a request: those of one message, as many as the bounds allow. Pure.
import type { PushTarget } from '../provider.ts'
import type { HmsPayload } from './payload.ts'

/** One POST. */
export interface HmsRequest {
  payload: HmsPayload
  /** None twice. */
  tokens: readonly string[]
  /** Positions in PushChunk.targets, in the order of the tokens. */
  indexes: readonly number[]
}

export interface RequestBounds {
  tokensPerRequest: number
  /** Of a body, tokens included; a single token may exceed it. */
  requestBytes: number
}

/** `payloads`: one for each message of the chunk. Throws RangeError for a target without one. */
export function requestsOf(
  payloads: readonly HmsPayload[],
  targets: readonly PushTarget[],
  bounds: RequestBounds,
): HmsRequest[] {
  return groupsOf(targets).flatMap((group) => {
    const payload = payloads[group.message]
    if (!payload) throw new RangeError(`a target names message ${group.message} of ${payloads.length}`)
    return split(group, payload, bounds)
  })
}

interface Entry {
  token: string
  index: number
}

interface Group {
  message: number
  entries: Entry[]
}

/** The groups of one message, and how often each token has come. */
interface Gathering {
  groups: Group[]
  times: Map<string, number>
}

/** A token that comes twice for a message is in two groups: the answer names refused tokens, not their positions. */
function groupsOf(targets: readonly PushTarget[]): Group[] {
  const gatherings = new Map<number, Gathering>()
  for (const [index, { token, message }] of targets.entries()) {
    const gathering = gatherings.get(message) ?? { groups: [], times: new Map<string, number>() }
    gatherings.set(message, gathering)
    const times = gathering.times.get(token) ?? 0
    gathering.times.set(token, times + 1)
    const group = gathering.groups[times] ?? { message, entries: [] }
    gathering.groups[times] = group
    group.entries.push({ token, index })
  }
  return [...gatherings.values()].flatMap(({ groups }) => groups)
}

function split({ entries }: Group, payload: HmsPayload, { tokensPerRequest, requestBytes }: RequestBounds) {
  const payloadBytes = Buffer.byteLength(payload.head) + Buffer.byteLength(payload.tail)
  const requests: Entry[][] = []
  let bytes = Infinity
  for (const entry of entries) {
    const tokenBytes = jsonBytes(entry.token) + 1
    const current = requests.at(-1)
    if (current && current.length < tokensPerRequest && bytes + tokenBytes <= requestBytes) {
      current.push(entry)
      bytes += tokenBytes
    } else {
      requests.push([entry])
      bytes = payloadBytes + tokenBytes
    }
  }
  return requests.map((request) => ({
    payload,
    tokens: request.map(({ token }) => token),
    indexes: request.map(({ index }) => index),
  }))
}

const AS_IT_IS = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** Of a text in JSON. Nearly every token is in it as it is, between quotes. */
const jsonBytes = (text: string): number =>
  AS_IT_IS.test(text) ? text.length + 2 : Buffer.byteLength(JSON.stringify(text))
