// The lean transport, rule by rule, against peers that break them (RFC 9113); what the client says to them is asserted as well
// as what becomes of the request. What it shares with node:http2 is in client.test.ts.
import t, { type Test } from 'tap'
import { openHttp2, type Http2Client, type Http2Options, type Http2Request, type Http2Result } from '../src/index.ts'
import { ErrorCode } from '../src/connection-error.ts'
import { FrameType, settingsPayload } from '../src/lean/frame.ts'
import { CONNECTION_WINDOW } from '../src/lean/our-settings.ts'
import { ReceiveWindow } from '../src/lean/receive-window.ts'
import { HpackDecoder } from '../src/hpack/decoder.ts'
import { chance, LONG } from './chance.ts'
import { exchangeOf, randomFrame, sessionOverNothing } from './nothing.ts'
import { frame, localhost } from './origin.ts'
import {
  endsRequest,
  ok,
  okHead,
  SETTINGS,
  startPeer,
  uint32,
  type Peer,
  type PeerScript,
  type SeenFrame,
} from './peer.ts'

const HEADERS = { 'content-type': 'application/json', authorization: 'bearer one' }

const open = (test: Test, url: string, options: Partial<Http2Options> = {}) => {
  const client = openHttp2({
    origin: url,
    ca: localhost.cert,
    // Longer than a busy machine takes: none of these tests is about time.
    requestTimeoutMs: 20_000,
    queueTimeoutMs: 20_000,
    connectTimeoutMs: 20_000,
    ...options,
  })
  test.teardown(() => client.close())
  return client
}

const send = (client: Http2Client, request: Partial<Http2Request> = {}) =>
  new Promise<Http2Result>((settle) => client.request({ path: '/', headers: HEADERS, body: '{}', ...request }, settle))

const isGoaway = ({ type }: SeenFrame) => type === FrameType.GOAWAY
const isReset = ({ type }: SeenFrame) => type === FrameType.RST_STREAM
const repeated = (bytes: Buffer, times: number) => Buffer.concat(Array.from({ length: times }, () => bytes))

async function startWith(test: Test, script: PeerScript, options: Partial<Http2Options> = {}) {
  const peer = await startPeer(test, script)
  return { peer, client: open(test, peer.url, options) }
}

/** Frames sent once the request on stream 1 is there. A second connection responds. */
const onRequest =
  (reply: Buffer): PeerScript['onFrame'] =>
  (seen, connection) =>
    endsRequest(seen) ? (connection === 0 ? reply : ok(seen.stream)) : undefined

/** The same on one connection. */
const onFirst =
  (reply: Buffer): PeerScript['onFrame'] =>
  (seen) =>
    endsRequest(seen) ? (seen.stream === 1 ? reply : ok(seen.stream)) : undefined

type Breach = [rule: string, code: keyof typeof ErrorCode, ...frames: Buffer[]]

const setting = (id: number, value: number) => frame(4, 0, 0, settingsPayload([[id, value]]))

const CONNECTION_ERRORS: Breach[] = [
  ['4.2 a frame larger than allowed', 'FRAME_SIZE_ERROR', frame(0, 0, 1, Buffer.alloc(16_385))],
  ['4.3 a block that cannot be decoded', 'COMPRESSION_ERROR', frame(1, 5, 1, Buffer.of(0x80))],
  ['4.3 an index into an empty table', 'COMPRESSION_ERROR', frame(1, 5, 1, Buffer.of(0xbe))],
  ['5.1 HEADERS on an idle stream', 'PROTOCOL_ERROR', ok(3)],
  ['5.1 DATA on an idle stream', 'PROTOCOL_ERROR', frame(0, 0, 5, 'x')],
  ['5.1 RST_STREAM on an idle stream', 'PROTOCOL_ERROR', frame(3, 0, 7, uint32(8))],
  ['5.1 WINDOW_UPDATE on an idle stream', 'PROTOCOL_ERROR', frame(8, 0, 9, uint32(1))],
  ['5.1.1 a stream of the peer', 'PROTOCOL_ERROR', ok(2)],
  ['5.1 HEADERS behind the end', 'STREAM_CLOSED', ok(1), ok(1)],
  ['5.1 DATA behind the end', 'STREAM_CLOSED', ok(1), frame(0, 0, 1, 'x')],
  ['6.1 DATA on no stream', 'PROTOCOL_ERROR', frame(0, 0, 0, 'x')],
  ['6.1 DATA with more padding than there is', 'PROTOCOL_ERROR', okHead(1), frame(0, 8, 1, Buffer.of(5, 1, 2))],
  ['6.1 DATA padded without a length', 'FRAME_SIZE_ERROR', okHead(1), frame(0, 8, 1)],
  ['6.2 HEADERS on no stream', 'PROTOCOL_ERROR', ok(0)],
  ['6.2 HEADERS with more padding than there is', 'PROTOCOL_ERROR', frame(1, 13, 1, Buffer.of(9, 0x88))],
  ['6.2 HEADERS shorter than its priority', 'PROTOCOL_ERROR', frame(1, 37, 1, Buffer.of(0, 0, 0))],
  ['6.3 PRIORITY on no stream', 'PROTOCOL_ERROR', frame(2, 0, 0, Buffer.alloc(5))],
  ['6.3 PRIORITY of another length', 'FRAME_SIZE_ERROR', frame(2, 0, 1, Buffer.alloc(4))],
  ['6.4 RST_STREAM on no stream', 'PROTOCOL_ERROR', frame(3, 0, 0, uint32(8))],
  ['6.4 RST_STREAM of another length', 'FRAME_SIZE_ERROR', frame(3, 0, 1, Buffer.alloc(5))],
  ['6.5 SETTINGS on a stream', 'PROTOCOL_ERROR', frame(4, 0, 1)],
  ['6.5 SETTINGS of another length', 'FRAME_SIZE_ERROR', frame(4, 0, 0, Buffer.alloc(7))],
  ['6.5 an acknowledgement with settings', 'FRAME_SIZE_ERROR', frame(4, 1, 0, Buffer.alloc(6))],
  ['6.5 an acknowledgement of nothing', 'PROTOCOL_ERROR', frame(4, 1, 0)],
  ['6.5.2 ENABLE_PUSH by a server', 'PROTOCOL_ERROR', setting(2, 1)],
  ['6.5.2 too large an initial window', 'FLOW_CONTROL_ERROR', setting(4, 2 ** 31)],
  ['6.5.2 frames too small', 'PROTOCOL_ERROR', setting(5, 16_383)],
  ['6.5.2 frames too large', 'PROTOCOL_ERROR', setting(5, 2 ** 24)],
  ['6.6 PUSH_PROMISE', 'PROTOCOL_ERROR', frame(5, 4, 1, Buffer.of(0, 0, 0, 2, 0x82))],
  ['6.7 PING on a stream', 'PROTOCOL_ERROR', frame(6, 0, 1, Buffer.alloc(8))],
  ['6.7 PING of another length', 'FRAME_SIZE_ERROR', frame(6, 0, 0, Buffer.alloc(7))],
  ['6.8 GOAWAY on a stream', 'PROTOCOL_ERROR', frame(7, 0, 1, Buffer.alloc(8))],
  ['6.8 GOAWAY too short', 'FRAME_SIZE_ERROR', frame(7, 0, 0, Buffer.alloc(7))],
  ['6.9 WINDOW_UPDATE of another length', 'FRAME_SIZE_ERROR', frame(8, 0, 0, Buffer.alloc(3))],
  ['6.9 WINDOW_UPDATE by nothing', 'PROTOCOL_ERROR', frame(8, 0, 0, uint32(0))],
  ['6.9.1 a window beyond all bounds', 'FLOW_CONTROL_ERROR', frame(8, 0, 0, uint32(2 ** 31 - 1))],
  [
    '6.9.2 a window beyond all bounds by a setting',
    'FLOW_CONTROL_ERROR',
    frame(8, 0, 1, uint32(2 ** 30)),
    setting(4, 2 ** 31 - 1),
  ],
  ['6.10 CONTINUATION without HEADERS', 'PROTOCOL_ERROR', frame(9, 4, 1, Buffer.of(0x88))],
  ['6.10 CONTINUATION of another stream', 'PROTOCOL_ERROR', frame(1, 1, 1, Buffer.of(0x88)), frame(9, 4, 3)],
  [
    '6.10 a frame within a header block',
    'PROTOCOL_ERROR',
    frame(1, 1, 1, Buffer.of(0x88)),
    frame(6, 0, 0, Buffer.alloc(8)),
  ],
  ['10.5.1 fields without end', 'ENHANCE_YOUR_CALM', ...bomb()],
  ['10.5 a flood of CONTINUATION', 'ENHANCE_YOUR_CALM', frame(1, 1, 1, Buffer.of(0x88)), repeated(frame(9, 0, 1), 100)],
  [
    '10.5 CONTINUATION without end',
    'ENHANCE_YOUR_CALM',
    frame(1, 1, 1),
    repeated(frame(9, 0, 1, Buffer.alloc(16_384, 0x88)), 5),
  ],
  ['10.5 a flood of SETTINGS', 'ENHANCE_YOUR_CALM', repeated(SETTINGS, 3_000)],
  ['10.5 a flood of PING', 'ENHANCE_YOUR_CALM', repeated(frame(6, 0, 0, Buffer.alloc(8)), 3_000)],
  ['10.5 a flood of PRIORITY', 'ENHANCE_YOUR_CALM', repeated(frame(2, 0, 1, Buffer.alloc(5)), 3_000)],
  ['10.5 a flood of WINDOW_UPDATE', 'ENHANCE_YOUR_CALM', repeated(frame(8, 0, 0, uint32(1)), 3_000)],
  ['10.5 a flood of empty DATA', 'ENHANCE_YOUR_CALM', okHead(1), repeated(frame(0, 0, 1), 3_000)],
  [
    '10.5 a flood of interim responses',
    'ENHANCE_YOUR_CALM',
    repeated(frame(1, 4, 1, Buffer.from('0803313033', 'hex')), 3_000),
  ],
  ['10.5 a flood of unknown frames', 'ENHANCE_YOUR_CALM', repeated(frame(0x20, 0, 0, 'x'), 3_000)],
  ['10.5 a flood of resets', 'ENHANCE_YOUR_CALM', ok(1), repeated(frame(3, 0, 1, uint32(8)), 3_000)],
]

/** A field of 4000 octets, put into the table and then named twelve thousand times. */
function bomb(): Buffer[] {
  const field = Buffer.concat([Buffer.from('40036161617fa11e', 'hex'), Buffer.alloc(4_000, 'x')])
  return [frame(1, 0, 1, field), frame(9, 4, 1, Buffer.alloc(12_000, 0xbe))]
}

t.test('GOAWAY names the rule that a peer broke, and the connection ends', { jobs: 4 }, async (t) => {
  for (const [rule, code, ...frames] of CONNECTION_ERRORS) {
    t.test(rule, async (t) => {
      const { peer, client } = await startWith(t, { onFrame: onRequest(Buffer.concat(frames)) })
      const result = await send(client)
      const isResponded = frames[0]?.equals(ok(1)) === true
      if (isResponded) t.equal(result.kind, 'response')
      else t.match(result, { kind: 'unknown', reason: new RegExp(`^${code}: `) })
      const { payload } = await peer.seen(isGoaway)
      t.equal(payload.readUInt32BE(4), ErrorCode[code], payload.toString('latin1', 8))
      t.match(await send(client), { kind: 'response' }, 'over another connection')
      t.equal(peer.connections, 2)
    })
  }
})

t.test('what has to come first', async (t) => {
  for (const greeting of [
    frame(6, 0, 0, Buffer.alloc(8)),
    frame(4, 1, 0),
    Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
  ]) {
    const { peer, client } = await startWith(t, { greeting }, { queueTimeoutMs: 2_000 })
    t.match(await send(client), { kind: 'unsent', reason: /^(PROTOCOL|FRAME_SIZE)_ERROR: / })
    t.ok(peer.frames.some(isGoaway))
  }
})

const status = (code: string, ...rest: number[]) =>
  Buffer.concat([Buffer.from([0x08, 3]), Buffer.from(code), Buffer.from(rest)])
const field = (name: string, value: string) =>
  Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)])
const STATUS_200 = Buffer.of(0x88)
const withFields = (...fields: Buffer[]) => frame(1, 5, 1, Buffer.concat([STATUS_200, ...fields]))

t.test('a malformed response costs its stream and nothing else', { jobs: 4 }, async (t) => {
  const cases: [what: string, code: keyof typeof ErrorCode, ...frames: Buffer[]][] = [
    ['8.1 a body without a head', 'PROTOCOL_ERROR', frame(0, 1, 1, 'x')],
    ['8.1 a second head', 'PROTOCOL_ERROR', okHead(1), okHead(1)],
    ['8.1 trailers with a status', 'PROTOCOL_ERROR', okHead(1), ok(1)],
    [
      '8.1.1 more than its content-length',
      'PROTOCOL_ERROR',
      frame(1, 4, 1, Buffer.concat([STATUS_200, field('content-length', '1')])),
      frame(0, 1, 1, 'xy'),
    ],
    ['8.1.1 less than its content-length', 'PROTOCOL_ERROR', withFields(field('content-length', '1'))],
    ['8.1.1 two lengths', 'PROTOCOL_ERROR', withFields(field('content-length', '0'), field('content-length', '1'))],
    ['8.1.1 a length that is none', 'PROTOCOL_ERROR', withFields(field('content-length', '-1'))],
    ['8.2.1 a name in upper case', 'PROTOCOL_ERROR', withFields(field('Name', 'x'))],
    ['8.2.1 an empty name', 'PROTOCOL_ERROR', withFields(field('', 'x'))],
    ['8.2.1 a line break in a value', 'PROTOCOL_ERROR', withFields(field('name', 'x\r\ny'))],
    ['8.2.1 a blank before a value', 'PROTOCOL_ERROR', withFields(field('name', ' x'))],
    ['8.2.2 a field of connections', 'PROTOCOL_ERROR', withFields(field('transfer-encoding', 'chunked'))],
    ['8.3 a pseudo-header of requests', 'PROTOCOL_ERROR', withFields(field(':path', '/'))],
    [
      '8.3 a status behind other fields',
      'PROTOCOL_ERROR',
      frame(1, 5, 1, Buffer.concat([field('a', 'b'), STATUS_200])),
    ],
    ['8.3.2 two of them', 'PROTOCOL_ERROR', withFields(STATUS_200)],
    ['8.3.2 none', 'PROTOCOL_ERROR', frame(1, 5, 1, field('a', 'b'))],
    ['8.3.2 one that is no number', 'PROTOCOL_ERROR', frame(1, 5, 1, status('2OO'))],
    ['8.6 switching protocols', 'PROTOCOL_ERROR', frame(1, 4, 1, status('101'))],
    ['8.1 an interim status at the end', 'PROTOCOL_ERROR', frame(1, 5, 1, status('103'))],
    ['6.9 WINDOW_UPDATE by nothing', 'PROTOCOL_ERROR', frame(8, 0, 1, uint32(0))],
    ['6.9.1 a window beyond all bounds', 'FLOW_CONTROL_ERROR', frame(8, 0, 1, uint32(2 ** 31 - 1))],
    [
      '6.9 more padding than the window of the stream',
      'FLOW_CONTROL_ERROR',
      okHead(1),
      repeated(frame(0, 8, 1, Buffer.alloc(256, 255)), 4_100),
    ],
  ]
  for (const [what, code, ...frames] of cases) {
    t.test(what, async (t) => {
      const { peer, client } = await startWith(t, { onFrame: onFirst(Buffer.concat(frames)) })
      t.equal((await send(client)).kind, 'unknown')
      const { payload, stream } = await peer.seen(isReset)
      t.same([stream, payload.readUInt32BE()], [1, ErrorCode[code]])
      t.match(await send(client), { kind: 'response' })
      t.equal(peer.connections, 1)
    })
  }
})

t.test('what is allowed, however odd', { jobs: 4 }, async (t) => {
  const cases: [what: string, expected: object, ...frames: Buffer[]][] = [
    [
      'padding',
      { body: 'ab' },
      frame(1, 12, 1, Buffer.of(3, 0x88, 0, 0, 0)),
      frame(0, 9, 1, Buffer.from('\x02ab\0\0')),
    ],
    ['priority in HEADERS', { status: 200 }, frame(1, 37, 1, Buffer.of(0, 0, 0, 0, 9, 0x88))],
    ['padding and priority', { status: 200 }, frame(1, 45, 1, Buffer.of(1, 0, 0, 0, 0, 9, 0x88, 0))],
    [
      'a head in pieces',
      { headers: { name: 'xyz' } },
      frame(1, 1, 1, STATUS_200),
      frame(9, 0, 1),
      frame(9, 0, 1, field('name', 'xyz').subarray(0, 4)),
      frame(9, 4, 1, field('name', 'xyz').subarray(4)),
    ],
    [
      'interim responses',
      { status: 200 },
      frame(1, 4, 1, status('100')),
      frame(1, 4, 1, Buffer.concat([status('103'), field('link', 'x')])),
      ok(1),
    ],
    [
      'trailers',
      { body: 'ab', headers: { a: 'b' } },
      frame(1, 4, 1, Buffer.concat([STATUS_200, field('a', 'b')])),
      frame(0, 0, 1, 'ab'),
      frame(1, 5, 1, field('checksum', '1')),
    ],
    ['an empty end', { body: 'ab' }, okHead(1), frame(0, 0, 1, 'a'), frame(0, 0, 1, 'b'), frame(0, 1, 1)],
    [
      'a character in two frames',
      { body: 'ä€' },
      okHead(1),
      frame(0, 0, 1, Buffer.of(0xc3)),
      frame(0, 1, 1, Buffer.from([0xa4, ...Buffer.from('€')])),
    ],
    [
      'frames of no known type, and settings of none',
      { status: 200 },
      frame(0x42, 255, 1, 'x'),
      setting(0x99, 7),
      frame(2, 0, 77, Buffer.alloc(5)),
      ok(1),
    ],
    ['a field twice', { headers: { a: '1, 2' } }, withFields(field('a', '1'), field('a', '2'))],
    [
      'resets and windows of closed streams',
      { status: 200 },
      ok(1),
      frame(3, 0, 1, uint32(0)),
      frame(8, 0, 1, uint32(5)),
    ],
    [
      'a table of the peer before it heard of ours',
      { headers: { a: 'b' } },
      frame(1, 5, 1, Buffer.concat([Buffer.of(0x20), STATUS_200, Buffer.of(0x40), field('a', 'b').subarray(1)])),
    ],
  ]
  for (const [what, expected, ...frames] of cases) {
    t.test(what, async (t) => {
      const { peer, client } = await startWith(t, { onFrame: onFirst(Buffer.concat(frames)) })
      t.match(await send(client), { kind: 'response', status: 200, ...expected })
      t.match(await send(client), { kind: 'response' })
      t.notOk(peer.frames.some(isGoaway))
    })
  }
})

/** Fields of the request on a stream, as the peer decodes them. */
function fieldsOf(peer: Peer) {
  const decoded = new Map<number, Record<string, string>>()
  let fields: Record<string, string> = {}
  const hpack = new HpackDecoder(1_000_000, (name, value) => (fields[name] = value))
  let block = Buffer.alloc(0)
  for (const { type, flags, stream, payload } of peer.frames) {
    if (type !== FrameType.HEADERS && type !== FrameType.CONTINUATION) continue
    block = Buffer.concat([block, payload])
    if ((flags & 4) === 0) continue
    hpack.decode(block, 0, block.length)
    decoded.set(stream, fields)
    fields = {}
    block = Buffer.alloc(0)
  }
  return decoded
}

const lengthsOf = ({ frames }: Peer, type: number, stream?: number) =>
  frames
    .filter((each) => each.type === type && (stream ?? each.stream) === each.stream)
    .map(({ payload }) => payload.length)

const isBodyOrHead = ({ type }: SeenFrame) => type === FrameType.DATA || type === FrameType.HEADERS

const respondToAll: PeerScript['onFrame'] = (seen) => (endsRequest(seen) ? ok(seen.stream) : undefined)

t.test('headers that repeat cost an octet each, whichever application they belong to', async (t) => {
  const { peer, client } = await startWith(t, { onFrame: respondToAll })
  const sets = ['one', 'two'].map((name) => ({ authorization: `bearer ${name.padEnd(200, '.')}`, 'apns-topic': name }))
  for (let round = 0; round < 6; round++)
    await send(client, { headers: sets[round % 2], path: `/${'f'.repeat(63)}${round}` })
  const [first = 0, second = 0, ...others] = lengthsOf(peer, FrameType.HEADERS)
  t.ok(first > 300 && second > 250, `${first} and ${second} octets`)
  // :path by its name's index, length and 65 octets; five others.
  t.same(new Set(others), new Set([1 + 1 + 65 + 5]))
  t.match(fieldsOf(peer).get(11), { ':authority': new URL(peer.url).host, 'apns-topic': 'two', ':path': /f5$/ })
  for (let round = 0; round < 3; round++) await send(client, { headers: sets[0], path: '/v1/projects/p/messages:send' })
  t.equal(lengthsOf(peer, FrameType.HEADERS).at(-1), 6, 'and a path that repeats')
})

t.test('a table taken away between two requests', async (t) => {
  const { peer, client } = await startWith(t, { onFrame: respondToAll })
  const headers = { ...HEADERS, 'apns-topic': 'one' }
  await send(client, { headers })
  await send(client, { headers })
  for (const bytes of [0, 100, 4_096]) {
    peer.write(setting(1, bytes))
    await peer.caughtUp()
    t.match(await send(client, { headers }), { kind: 'response' })
  }
  for (const fields of fieldsOf(peer).values()) t.match(fields, headers)
  t.equal(fieldsOf(peer).size, 5)
})

t.test('more header sets than the table holds, all arrive as they were', async (t) => {
  const { peer, client } = await startWith(t, { greeting: setting(1, 300), onFrame: respondToAll })
  const sets = Array.from({ length: 300 }, (_, place) => ({ a: `value-${place}`.padEnd(40), b: `${place}` }))
  const trimmed = sets.map(({ a, b }) => ({ a: a.trim(), b }))
  await Promise.all([...trimmed, ...trimmed].map((headers) => send(client, { headers })))
  const seen = [...fieldsOf(peer).values()].map(({ a }) => a)
  t.same(
    seen,
    [...trimmed, ...trimmed].map(({ a }) => a),
  )
})

t.test('a block longer than a frame goes on in CONTINUATION', async (t) => {
  const { peer, client } = await startWith(t, { onFrame: respondToAll })
  const headers = { long: 'x'.repeat(40_000) }
  t.match(await send(client, { headers }), { kind: 'response' })
  t.match(await send(client, { headers, body: '' }), { kind: 'response' })
  t.same(lengthsOf(peer, FrameType.CONTINUATION, 1).length, 2)
  t.equal(fieldsOf(peer).get(3)?.long?.length, 40_000)
})

t.test('what the origin would not take is not sent', async (t) => {
  const { peer, client } = await startWith(t, { greeting: setting(6, 500), onFrame: respondToAll })
  await send(client)
  const errors: [reason: RegExp, request: Partial<Http2Request>][] = [
    [/headers longer than the 500 bytes the origin takes/, { headers: { long: 'x'.repeat(500) } }],
    [/not a path/, { path: '/a b' }],
    [/not a path/, { path: '' }],
    [/not a path/, { path: '/\u010a' }],
    [/not a name for a header: "Upper"/, { headers: { Upper: 'x' } }],
    [/not a name for a header/, { extra: [['', 'x']] }],
    [/not a value for the header line/, { headers: { line: 'a\r\nb' } }],
    [/not a value for the header wide/, { extra: [['wide', '€']] }],
  ]
  for (const [reason, request] of errors) t.match(await send(client, request), { kind: 'unsent', reason })
  t.same([...fieldsOf(peer).keys()], [1])
  t.match(await send(client), { kind: 'response' })
})

t.test('bodies follow the windows of stream and connection, and the size of frames', async (t) => {
  const { peer, client } = await startWith(t, {
    greeting: setting(4, 10),
    onFrame: respondToAll,
  })
  const sent = send(client, { body: 'x'.repeat(40_005) })
  const first = await peer.seen(({ type }) => type === FrameType.DATA)
  t.equal(first.payload.length, 10)
  t.notOk(peer.frames.some(endsRequest))
  t.equal(peer.connections, 1)
  peer.write(frame(8, 0, 1, uint32(5)))
  await peer.seen(({ type, payload }) => type === FrameType.DATA && payload.length === 5)
  peer.write(setting(4, 0))
  peer.write(setting(4, 40_000))
  t.match(await sent, { kind: 'response' })
  t.same(lengthsOf(peer, FrameType.DATA), [10, 5, 16_384, 16_384, 40_005 - 15 - 32_768])
  // 65 535 were the connection's; 25 530 of them are left.
  const [one, two] = [send(client, { body: 'y'.repeat(30_000) }), send(client, { body: 'z' })]
  await peer.seen(
    ({ stream, type, payload }) => stream === 3 && type === FrameType.DATA && payload.length === 25_530 - 16_384,
  )
  peer.write(frame(8, 0, 0, uint32(100_000)))
  t.same([(await one).kind, (await two).kind], ['response', 'response'])
  peer.write(setting(5, 100_000))
  await peer.caughtUp()
  t.match(await send(client, { body: 'x'.repeat(39_000) }), { kind: 'response' })
  t.equal(lengthsOf(peer, FrameType.DATA).at(-1), 39_000)
})

t.test('a window that grows by single octets', async (t) => {
  const { peer, client } = await startWith(t, {
    greeting: setting(4, 0),
    onFrame: (seen) =>
      endsRequest(seen) ? ok(seen.stream) : isBodyOrHead(seen) ? frame(8, 0, 1, uint32(1)) : undefined,
  })
  t.match(await send(client, { body: 'x'.repeat(3_000) }), { kind: 'response' }, 'is no flood')
  t.equal(lengthsOf(peer, FrameType.DATA).length, 3_000)
})

t.test('a large body leaves in portions', async (t) => {
  const { peer, client } = await startWith(t, { greeting: setting(4, 2 ** 24), onFrame: respondToAll })
  await send(client)
  peer.write(frame(8, 0, 0, uint32(2 ** 30)))
  await peer.caughtUp()
  t.match(await send(client, { body: Buffer.alloc(3_000_000) }), { kind: 'response' })
  t.equal(
    lengthsOf(peer, FrameType.DATA, 3).reduce((sum, length) => sum + length, 0),
    3_000_000,
  )
})

t.test('the window of the connection is granted anew at half, and not exceeded', async (t) => {
  const window = new ReceiveWindow()
  t.equal(window.receive(CONNECTION_WINDOW / 2 - 1), 0)
  t.equal(window.receive(1), CONNECTION_WINDOW / 2)
  t.equal(window.receive(CONNECTION_WINDOW), CONNECTION_WINDOW)
  t.throws(() => window.receive(CONNECTION_WINDOW + 1), { code: ErrorCode.FLOW_CONTROL_ERROR })
})

t.test('what was collected for a peer that breaks a rule is sent to another connection', async (t) => {
  const breach = frame(5, 4, 1, Buffer.of(0, 0, 0, 2, 0x82))
  const { peer, client } = await startWith(t, {
    onFrame: (seen, connection) => {
      if (!endsRequest(seen)) return undefined
      return connection === 0 ? Buffer.concat([ok(seen.stream), breach]) : ok(seen.stream)
    },
  })
  const second = new Promise<Http2Result>((settle) => {
    const request = { path: '/', headers: HEADERS, body: '{}' }
    client.request(request, () => client.request(request, settle))
  })
  t.match(await second, { kind: 'response' })
  t.equal(peer.connections, 2)
  t.equal(peer.frames.filter(endsRequest).length, 2, 'each once')
})

t.test('the origin may allow no stream at all, and some later', async (t) => {
  const { peer, client } = await startWith(t, { greeting: setting(3, 0), onFrame: respondToAll })
  const sent = [send(client), send(client)]
  await peer.seen(({ type, flags }) => type === FrameType.SETTINGS && flags === 1)
  t.equal(client.capacity, 1)
  t.same(lengthsOf(peer, FrameType.HEADERS), [])
  peer.write(setting(3, 1))
  t.same(
    (await Promise.all(sent)).map(({ kind }) => kind),
    ['response', 'response'],
  )
})

t.test('a second GOAWAY may take back more, and never less', async (t) => {
  const goaway = (last: number) => frame(7, 0, 0, uint32(last, 0))
  const { peer, client } = await startWith(t, {
    onFrame: (seen, connection) => {
      if (!endsRequest(seen)) return undefined
      if (connection > 0) return ok(seen.stream)
      return seen.stream === 5 ? Buffer.concat([goaway(2 ** 31 - 1), goaway(3), goaway(5), ok(1), ok(3)]) : undefined
    },
  })
  const results = await Promise.all([send(client), send(client), send(client)])
  t.same(
    results.map(({ kind }) => kind),
    ['response', 'response', 'response'],
  )
  t.same(
    peer.frames.filter(endsRequest).map(({ stream }) => stream),
    [1, 3, 5, 1],
  )
})

t.test('a great many requests in one turn leave in few pieces', async (t) => {
  const { peer, client } = await startWith(t, { onFrame: respondToAll })
  await send(client)
  const before = peer.pieces
  const results = await Promise.all(Array.from({ length: 100 }, () => send(client)))
  t.ok(results.every(({ kind }) => kind === 'response'))
  t.ok(peer.pieces - before < 10, `${peer.pieces - before} pieces`)
})

t.test('a peer that does not read gets no more than a buffer full; what waits goes elsewhere', async (t) => {
  const { peer, client } = await startWith(
    t,
    { onFrame: respondToAll, reads: (connection) => connection > 0 },
    { pingIntervalMs: 200, pingTimeoutMs: 2_000, requestTimeoutMs: 60_000, queueTimeoutMs: 60_000 },
  )
  const path = `/${'x'.repeat(16_000)}`
  const results = await Promise.all(Array.from({ length: 900 }, (_, place) => send(client, { path: path + place })))
  const responded = results.filter(({ kind }) => kind === 'response').length
  t.ok(responded > 100, `${responded} over another connection`)
  t.ok(
    results.every(
      (result) =>
        result.kind === 'response' || (result.kind === 'unknown' && /no response to PING/.test(result.reason)),
    ),
  )
  t.equal(peer.connections, 2)
})

t.test('a stream that was reset counts until the peer has seen it', async (t) => {
  const { session, socket, events } = sessionOverNothing()
  const pong = (first: number) => frame(6, 1, 0, Buffer.of(first, 0, 0, 0, 0, 0, 0, 0))
  const [first, second, third] = ['/1', '/2', '/3'].map((path) => session.open(exchangeOf(path)))
  first?.cancel()
  second?.cancel()
  first?.cancel()
  t.equal(session.inFlight, 3)
  await new Promise(setImmediate)
  third?.cancel()
  socket.emit('data', pong(1))
  t.equal(session.inFlight, 1, 'the PING was sent before the third was reset')
  await new Promise(setImmediate)
  socket.emit('data', pong(0))
  t.equal(session.inFlight, 1, 'that was another PING')
  t.same(events, ['settings', 'ponged'])
  socket.emit('data', pong(1))
  t.equal(session.inFlight, 0)
})

t.test('what the socket was not given yet is known not to be written', async (t) => {
  const { session, socket } = sessionOverNothing()
  const first = session.open(exchangeOf('/1'))
  t.notOk(first.isWritten, 'it leaves at the end of the turn')
  await new Promise(setImmediate)
  t.ok(first.isWritten)
  socket.writableNeedDrain = true
  const second = session.open(exchangeOf('/2'))
  await new Promise(setImmediate)
  t.notOk(second.isWritten)
  socket.writableNeedDrain = false
  socket.emit('drain')
  t.ok(second.isWritten)
})

t.test('what piles up makes a connection full until it has left', async (t) => {
  const { session, socket, freed } = sessionOverNothing()
  socket.writableNeedDrain = true
  for (let count = 0; count < 20; count++) session.open(exchangeOf(`/${'x'.repeat(16_000)}`))
  await new Promise(setImmediate)
  t.ok(session.isFull)
  t.equal(freed.count, 0)
  socket.writableNeedDrain = false
  socket.emit('drain')
  t.notOk(session.isFull)
  t.equal(freed.count, 1)
})

t.test('at the last stream id another connection takes over', async (t) => {
  const { session, ended, events } = sessionOverNothing(0x7fff_fff9)
  t.ok(session.streams > 0)
  session.open(exchangeOf('/1'))
  session.open(exchangeOf('/2'))
  t.ok(session.streams > 0)
  session.open(exchangeOf('/3'))
  t.equal(session.streams, 0)
  await new Promise(setImmediate)
  t.same(events, ['settings', 'retired: stream ids used up'])
  t.same(ended, [])
})

t.test('a TLS session is taken up again', async (t) => {
  const { peer, client } = await startWith(t, {
    onFrame: (seen) =>
      endsRequest(seen) ? Buffer.concat([ok(seen.stream), frame(7, 0, 0, uint32(seen.stream, 0))]) : undefined,
  })
  for (let round = 0; round < 3; round++) t.match(await send(client), { kind: 'response' })
  t.equal(peer.connections, 3)
  t.equal(peer.resumed, 2)
})

t.test('a connection in pieces of one octet', async (t) => {
  const { session, socket, ended } = sessionOverNothing()
  session.open(exchangeOf('/1'))
  const body = 'x'.repeat(20_000)
  const respond = Buffer.concat([okHead(1), frame(0, 0, 1, body.slice(0, 15_000)), frame(0, 1, 1, body.slice(15_000))])
  for (const octet of respond) socket.emit('data', Buffer.of(octet))
  t.match(ended, [{ path: '/1', ending: { kind: 'response', body } }])
})

t.test('chance: frames of all kinds, changed here and there', async (t) => {
  const rounds = LONG ? 1_000_000 : 20_000
  const dice = chance(540)
  let frames = 0
  const fates: Record<string, number> = {}
  const memoryBefore = process.memoryUsage.rss()
  const note = (fate: string) => (fates[fate] = (fates[fate] ?? 0) + 1)
  while (frames < rounds) {
    const { session, socket, ended, events } = sessionOverNothing()
    const opened = 1 + dice.below(4)
    for (let place = 0; place < opened; place++) session.open(exchangeOf(`/${place}`))
    for (let count = 0; count < 20 && !socket.ended; count++, frames++) {
      const bytes = dice.oneIn(3) ? dice.mutate(randomFrame(dice), 1 + dice.below(3)) : randomFrame(dice)
      const cut = dice.below(bytes.length)
      socket.emit('data', bytes.subarray(0, cut))
      socket.emit('data', bytes.subarray(cut))
    }
    note(socket.ended ? 'ended by an error' : 'still open')
    if (ended.length > opened || new Set(ended.map(({ path }) => path)).size !== ended.length) t.fail('ended twice')
    for (const { ending } of ended) note(ending.kind)
    socket.emit('close')
    // What a session does at the end of a turn is done then.
    if (dice.oneIn(50)) await new Promise(setImmediate)
    if (!events.at(-1)?.startsWith('closed')) t.fail('did not close')
  }
  t.ok(
    Object.keys(fates).length === 5 && Object.values(fates).every((count) => count > rounds / 1_000),
    JSON.stringify(fates),
  )
  const grownBy = (process.memoryUsage.rss() - memoryBefore) / 2 ** 20
  t.ok(grownBy < 500, `${Math.round(grownBy)} MiB more`)
})
