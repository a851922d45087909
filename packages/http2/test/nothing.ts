// A lean session without a network: its socket is an emitter, and what it writes goes nowhere. And frames made by chance.
import { EventEmitter } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { FrameType, settingsPayload } from '../src/lean/frame.ts'
import { LeanSession } from '../src/lean/session.ts'
import type { Ending, Exchange } from '../src/session.ts'
import type { Chance } from './chance.ts'
import { frame } from './origin.ts'
import { SETTINGS, uint32 } from './peer.ts'

class NoSocket extends EventEmitter {
  readonly destroyed = false
  writableNeedDrain = false
  ended = false
  write(_bytes: Buffer, written?: () => void) {
    written?.()
    return true
  }
  end() {
    this.ended = true
  }
  destroy() {}
}

const HEADERS = { authorization: 'bearer one' }

export const exchangeOf = (path: string): Exchange => ({
  request: { path, headers: HEADERS, body: '{}' },
  settle() {},
  deadline: 0,
  attempts: 1,
  stream: undefined,
  place: -1,
})

/** Greeted by SETTINGS already. */
export function sessionOverNothing(firstStream = 1) {
  const socket = new NoSocket()
  const events: string[] = []
  const freed = { count: 0 }
  const ended: { path: string; ending: Ending }[] = []
  const session = new LeanSession(
    socket as unknown as TLSSocket,
    new URL('https://localhost'),
    {
      settings: () => events.push('settings'),
      ended: ({ request }, ending) => ended.push({ path: request.path, ending }),
      freed: () => freed.count++,
      retired: (reason) => events.push(`retired: ${reason}`),
      ponged: () => events.push('ponged'),
      closed: (reason) => events.push(`closed: ${reason}`),
    },
    firstStream,
  )
  socket.emit('data', SETTINGS)
  return { session, socket, events, ended, freed }
}

const BLOCKS: readonly [Buffer, ...Buffer[]] = [
  Buffer.of(0x88),
  Buffer.of(0x8d),
  Buffer.from('0803313033', 'hex'),
  Buffer.from('885803666f6f', 'hex'),
  Buffer.from('88400161 0162'.replace(' ', ''), 'hex'),
  Buffer.from('88be', 'hex'),
]

/** Of any type, mostly well-formed, mostly on a stream that may be open. */
export function randomFrame(dice: Chance): Buffer {
  const stream = dice.oneIn(12) ? dice.below(20) : 1 + 2 * dice.below(4)
  const flags = dice.oneIn(6) ? dice.below(256) : dice.pick([0, 1, 4, 5])
  switch (dice.below(14)) {
    case 0:
    case 1:
    case 2:
      return frame(FrameType.HEADERS, flags | 4, stream, dice.pick(BLOCKS))
    case 3:
    case 4:
    case 5:
      return frame(FrameType.DATA, flags & 1, stream, dice.octets(dice.below(100)))
    case 6:
      return frame(FrameType.RST_STREAM, 0, stream, uint32(dice.below(14)))
    case 7:
      return frame(
        FrameType.SETTINGS,
        0,
        0,
        settingsPayload([[dice.below(8), dice.pick([0, 1, 100, 16_384, 2 ** 31])]]),
      )
    case 8:
      return frame(FrameType.PING, flags & 1, 0, dice.octets(8))
    case 9:
      return frame(FrameType.WINDOW_UPDATE, 0, dice.oneIn(2) ? 0 : stream, uint32(dice.pick([1, 1_000, 2 ** 30])))
    case 10:
      return dice.oneIn(6) ? frame(FrameType.GOAWAY, 0, 0, uint32(dice.below(9), dice.below(3))) : SETTINGS
    case 11:
      return frame(FrameType.CONTINUATION, flags, stream, dice.pick(BLOCKS))
    case 12:
      return frame(FrameType.PRIORITY, flags, stream, dice.octets(5))
    default:
      return frame(dice.below(256), flags, stream, dice.octets(dice.below(40)))
  }
}
