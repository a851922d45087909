// Divides the targets of a chunk into requests: targets of one message share a request, as many as the bounds allow. Pure.
import type { PushTarget } from '../provider.ts'
import type { HmsPayload } from './payload.ts'

/** Huawei takes no more tokens in one request. */
export const TOKENS_PER_REQUEST = 1_000

/** One POST. */
export interface HmsRequest {
  payload: HmsPayload
  /** Each token once. */
  tokens: readonly string[]
  /** Positions in PushChunk.targets, in the order of the tokens. */
  indexes: readonly number[]
}

export interface RequestBounds {
  tokensPerRequest: number
  /** Maximum size of a body, tokens included; a single token may exceed it. */
  requestBytes: number
  /** Called for each target whose message has a reason in place of a payload. */
  onUnshown?(index: number, reason: string): void
}

/** `payloads`: one for each message of the chunk. Throws RangeError for a target without one. */
export function requestsOf(
  payloads: readonly (HmsPayload | string | undefined)[],
  targets: readonly PushTarget[],
  bounds: RequestBounds,
): HmsRequest[] {
  return groupsOf(targets).flatMap((group) => {
    const payload = payloads[group.message]
    if (!payload) throw new RangeError(`a target names message ${group.message} of ${payloads.length}`)
    if (typeof payload === 'string') {
      for (const index of group.indexes) bounds.onUnshown?.(index, payload)
      return []
    }
    return split(group, payload, bounds)
  })
}

/** Deliveries of one message. */
class Group {
  readonly message: number
  readonly tokens: string[] = []
  readonly indexes: number[] = []
  readonly #known = new Set<string>()

  constructor(message: number) {
    this.message = message
  }

  /** False when it has the token already. */
  add(token: string, index: number): boolean {
    const { size } = this.#known
    if (this.#known.add(token).size === size) return false
    this.tokens.push(token)
    this.indexes.push(index)
    return true
  }
}

/** A token that comes twice for a message is in two groups: the response names refused tokens, not their positions. */
function groupsOf(targets: readonly PushTarget[]): Group[] {
  const byMessage = new Map<number, Group[]>()
  for (const [index, { token, message }] of targets.entries()) {
    const groups = byMessage.get(message) ?? []
    if (groups.length === 0) byMessage.set(message, groups)
    if (groups.some((group) => group.add(token, index))) continue
    const group = new Group(message)
    group.add(token, index)
    groups.push(group)
  }
  return [...byMessage.values()].flat()
}

function split({ tokens, indexes }: Group, payload: HmsPayload, { tokensPerRequest, requestBytes }: RequestBounds) {
  const payloadBytes = Buffer.byteLength(payload.head) + Buffer.byteLength(payload.tail)
  const requests: HmsRequest[] = []
  let start = 0
  let bytes = payloadBytes
  const endAt = (end: number) => {
    requests.push({ payload, tokens: tokens.slice(start, end), indexes: indexes.slice(start, end) })
    start = end
    bytes = payloadBytes
  }
  for (const [place, token] of tokens.entries()) {
    const tokenBytes = jsonBytes(token) + 1
    const isFull = place - start === tokensPerRequest || bytes + tokenBytes > requestBytes
    if (isFull && place > start) endAt(place)
    bytes += tokenBytes
  }
  endAt(tokens.length)
  return requests
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** Size of a text in JSON. Nearly every token needs no escapes. */
const jsonBytes = (text: string): number =>
  PLAIN.test(text) ? text.length + 2 : Buffer.byteLength(JSON.stringify(text))
