// The other side of a connection, frame by frame: it does what a test tells it and remembers every frame of the client.
import type { TLSSocket } from 'node:tls'
import type { Test } from 'tap'
import { FrameReader } from '../src/lean/frame-reader.ts'
import { FrameType, LARGEST_FRAME_BYTES, PREFACE } from '../src/lean/frame.ts'
import { frame, startTls } from './origin.ts'

export interface SeenFrame {
  type: number
  flags: number
  stream: number
  payload: Buffer
}

export interface Peer {
  url: string
  /** Of all connections, SETTINGS and PING included. */
  frames: SeenFrame[]
  connections: number
  /** How many of them took up a TLS session. */
  resumed: number
  /** How often a socket had something to read. */
  pieces: number
  /** To the latest connection. */
  write(bytes: Buffer): void
  /** Resolves once the client has read all that was written. */
  caughtUp(): Promise<unknown>
  /** Resolves with the first frame that fits, of those there are and those to come. */
  seen(fits: (frame: SeenFrame) => boolean): Promise<SeenFrame>
}

export interface PeerScript {
  /** What follows the connection's preface; by default SETTINGS without a setting. */
  greeting?: Buffer
  /** Answers each frame of the client; SETTINGS and PING are acknowledged besides. */
  onFrame?(seen: SeenFrame, connection: number): Buffer | undefined
  /** By default all are read. */
  reads?(connection: number): boolean
}

export const SETTINGS = frame(4, 0, 0)
export const SETTINGS_ACK = frame(4, 1, 0)
/** `:status: 200`, complete, and with a body to come. */
export const ok = (stream: number) => frame(1, 5, stream, Buffer.of(0x88))
export const okHead = (stream: number) => frame(1, 4, stream, Buffer.of(0x88))
export const uint32 = (...values: number[]) => Buffer.concat(values.map((value) => Buffer.from(hexOf(value), 'hex')))
const hexOf = (value: number) => value.toString(16).padStart(8, '0')

/** Whether the client's request is complete with this frame. */
export const endsRequest = ({ type, flags }: SeenFrame) =>
  (type === FrameType.DATA || type === FrameType.HEADERS) && (flags & 1) === 1

export async function startPeer(test: Test, { greeting = SETTINGS, onFrame, reads }: PeerScript): Promise<Peer> {
  const frames: SeenFrame[] = []
  const waiting = new Set<(frame: SeenFrame) => void>()
  let latest: TLSSocket | undefined
  const peer = { frames, connections: 0, resumed: 0, pieces: 0, write: (bytes: Buffer) => void latest?.write(bytes) }
  const tls = await startTls((socket, connection) => {
    latest = socket
    peer.connections++
    if (socket.isSessionReused()) peer.resumed++
    socket.write(greeting)
    if (reads?.(connection) === false) return socket.pause()
    const reader = new FrameReader(({ type, flags, stream, bytes, start, end }) => {
      const seen = { type, flags, stream, payload: Buffer.from(bytes.subarray(start, end)) }
      frames.push(seen)
      for (const notify of waiting) notify(seen)
      const isPing = type === FrameType.PING && flags === 0
      if (type === FrameType.SETTINGS && flags === 0) socket.write(SETTINGS_ACK)
      if (isPing) socket.write(frame(FrameType.PING, 1, 0, seen.payload))
      const reply = onFrame?.(seen, connection)
      if (reply) socket.write(reply)
    }, LARGEST_FRAME_BYTES)
    let preface = PREFACE.length
    socket.on('data', (chunk) => {
      peer.pieces++
      const rest = chunk.subarray(preface)
      preface = Math.max(0, preface - chunk.length)
      reader.read(rest)
    })
  })
  test.teardown(() => tls.stop())
  const seen = (fits: (frame: SeenFrame) => boolean) => {
    const there = frames.find(fits)
    const { promise, resolve } = Promise.withResolvers<SeenFrame>()
    const notify = (each: SeenFrame) => fits(each) && (resolve(each), waiting.delete(notify))
    if (there) resolve(there)
    else waiting.add(notify)
    return promise
  }
  const caughtUp = () => {
    const ping = Buffer.from('caughtup')
    peer.write(frame(FrameType.PING, 0, 0, ping))
    return seen(({ type, flags, payload }) => type === FrameType.PING && flags === 1 && payload.equals(ping))
  }
  return Object.assign(peer, { url: tls.url, seen, caughtUp })
}
