// HPACK against the examples of RFC 7541 appendix C, against blocks that break its rules, and against everything chance
// brings: whatever comes, it is decoded or refused, and nothing else.
import t from 'tap'
import { HpackDecoder } from '../src/hpack/decoder.ts'
import { HpackEncoder } from '../src/hpack/encoder.ts'
import { HUFFMAN_CODES } from '../src/hpack/huffman.ts'
import { ConnectionError } from '../src/connection-error.ts'
import { chance, LONG } from './chance.ts'

type Fields = [name: string, value: string][]

function decoder(maxListBytes = 65_536) {
  const fields: Fields = []
  const hpack = new HpackDecoder(maxListBytes, (name, value) => fields.push([name, value]))
  const decode = (block: Buffer | string) => {
    const bytes = Buffer.from(block as string, 'hex')
    hpack.decode(bytes, 0, bytes.length)
    return fields.splice(0)
  }
  return { decode, limitTable: (bytes: number) => hpack.limitTable(bytes) }
}

function encode(hpack: HpackEncoder, write: () => void): Buffer {
  const target = Buffer.alloc(16_384)
  hpack.begin(target, 0)
  write()
  return target.subarray(0, hpack.end())
}

const encodeFields = (hpack: HpackEncoder, fields: Fields) =>
  encode(hpack, () => {
    for (const [name, value] of fields) hpack.field(name, value)
  })

const hex = (text: string) => text.replaceAll(' ', '')

const REQUESTS: Fields[] = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
]
const PLAIN_REQUESTS = [
  '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
  '8286 84be 5808 6e6f 2d63 6163 6865',
  '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
].map(hex)
const HUFFMAN_REQUESTS = [
  '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
  '8286 84be 5886 a8eb 1064 9cbf',
  '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
].map(hex)

const MONDAY = 'Mon, 21 Oct 2013 20:13:2'
const LOCATION = 'https://www.example.com'
const COOKIE = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'
const responseHead = (status: string, second: string): Fields => [
  [':status', status],
  ['cache-control', 'private'],
  ['date', `${MONDAY}${second} GMT`],
  ['location', LOCATION],
]
const RESPONSES: Fields[] = [
  responseHead('302', '1'),
  responseHead('307', '1'),
  [...responseHead('200', '2'), ['content-encoding', 'gzip'], ['set-cookie', COOKIE]],
]
/** The examples begin with a table of 256 octets, which in a block says itself so. */
const TABLE_OF_256 = '3fe101'
const PLAIN_RESPONSES = [
  `${TABLE_OF_256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32
   3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
  '4803 3330 37c1 c0bf',
  `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d
   4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572
   7369 6f6e 3d31`,
]
const HUFFMAN_RESPONSES = [
  `${TABLE_OF_256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
   1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
  '4883 640e ffc1 c0bf',
  `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf
   cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
]

t.test('RFC 7541 appendix C, decoded', async (t) => {
  const single: [block: string, field: Fields[number]][] = [
    ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key', 'custom-header']],
    ['040c 2f73 616d 706c 652f 7061 7468', [':path', '/sample/path']],
    ['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password', 'secret']],
    ['82', [':method', 'GET']],
  ]
  for (const [block, field] of single) t.same(decoder().decode(hex(block)), [field], `C.2 ${field[0]}`)
  const series = { C3: PLAIN_REQUESTS, C4: HUFFMAN_REQUESTS, C5: PLAIN_RESPONSES, C6: HUFFMAN_RESPONSES }
  for (const [section, blocks] of Object.entries(series)) {
    const { decode } = decoder()
    const expected = blocks.length > 0 && section < 'C5' ? REQUESTS : RESPONSES
    for (const [place, block] of blocks.entries()) t.same(decode(block.replaceAll(/\s/g, '')), expected[place], section)
  }
})

t.test('RFC 7541 appendix C, encoded', async (t) => {
  const hpack = new HpackEncoder()
  for (const [place, fields] of REQUESTS.entries()) {
    t.equal(encodeFields(hpack, fields).toString('hex'), PLAIN_REQUESTS[place], `C.3.${place + 1}`)
  }
  const literal = encode(new HpackEncoder(), () => new HpackEncoder())
  t.equal(literal.length, 0)
  const never = new HpackEncoder()
  const secret = encode(never, () => never.literal('password', 'secret')).toString('hex')
  t.equal(secret, hex('1008 7061 7373 776f 7264 0673 6563 7265 74'), 'C.2.3')
})

t.test('the Huffman code is complete, and each octet comes back', async (t) => {
  const share = HUFFMAN_CODES.reduce((sum, { bits }) => sum + 2 ** -bits, 0)
  t.equal(share, 1, 'Kraft: no code is missing and none is a beginning of another')
  const { decode } = decoder()
  for (let symbol = 0; symbol < 256; symbol++) {
    const text = String.fromCharCode(symbol, 97, symbol)
    t.same(decode(Buffer.concat([Buffer.of(0x04), huffman(text)])), [[':path', text]])
  }
})

t.test('what a block may not be', async (t) => {
  const cases: [reason: RegExp, ...blocks: string[]][] = [
    [/there is no field 0/, '80'],
    [/there is no field 62/, 'be'],
    [/there is no field 70/, '7f0701 61'],
    [/the block ends within a field/, '40', '400161', 'ff', '3f', '04', 'ff80'],
    [/a string beyond its block/, '040561', '4003616161047878'],
    [/an integer out of all proportion/, 'ffffffffffff7f', '3fffffffff7f', '047fffffffff7f', 'ff80808080808080808000'],
    [/no such Huffman code/, '0484ffffffff', '0485ffffffff00'],
    // Padding of eight bits, and of bits that are not 1.
    [/ends within a code/, '04821fff', '048118'],
    [/a table of 4097 bytes where 4096 are allowed/, '3fe21f'],
    [/the table is resized within a block/, '8220'],
  ]
  for (const [reason, ...blocks] of cases) {
    for (const block of blocks)
      t.throws(() => decoder().decode(hex(block)), { name: 'ConnectionError', message: reason }, block)
  }
  const bomb = decoder(65_536)
  const large = Buffer.concat([Buffer.from('4001617fa11e', 'hex'), Buffer.alloc(4000, 'x')])
  bomb.decode(large)
  t.throws(() => bomb.decode(Buffer.alloc(16_000, 0xbe)), {
    message: /ENHANCE_YOUR_CALM: fields of more than 65536 bytes/,
  })
})

t.test('a reduced table', async (t) => {
  const reduced = () => {
    const it = decoder()
    it.decode(hex('400161 0162'))
    it.limitTable(0)
    return it
  }
  t.throws(() => reduced().decode('2188'), { message: /a table of 1 bytes where 0 are allowed/ })
  t.throws(() => reduced().decode('20be'), { message: /there is no field 62/ })
  t.same(reduced().decode('be'), [['a', 'b']], 'as before, as long as the peer has not said that it follows')
  const followed = reduced()
  t.same(followed.decode('2088'), [[':status', '200']])
  followed.decode(hex('400161 0162'))
  t.throws(() => followed.decode('be'), /no field 62/, 'nothing fits into a table of nothing')
})

t.test('the table of the peer may shrink, grow and vanish', async (t) => {
  const hpack = new HpackEncoder()
  const { decode } = decoder()
  const fields: Fields = Array.from({ length: 40 }, (_, place) => [`name-${place}`, 'v'.repeat(60)])
  const pass = (message: string) => {
    const block = encodeFields(hpack, fields)
    t.same(decode(block), fields, message)
    return block.length
  }
  const first = pass('filled')
  t.ok(pass('from the table') <= first)
  hpack.limitTable(0)
  hpack.limitTable(200)
  t.equal(encode(hpack, () => {}).toString('hex'), '203fa901', 'the smallest size, then the latest')
  decode('203fa901')
  pass('200 octets')
  hpack.limitTable(0)
  pass('none')
  hpack.limitTable(1_000_000)
  pass('as much as there ever is')
  hpack.limitTable(4096)
  t.equal(encode(hpack, () => {}).length, 0, 'nothing to say when nothing changed')
})

t.test('a field of most of the table is not kept', async (t) => {
  const hpack = new HpackEncoder()
  const { decode } = decoder()
  const fields: Fields = [
    ['small', 'x'],
    ['large', 'y'.repeat(3_200)],
  ]
  const lengths = [1, 2].map(() => {
    const block = encodeFields(hpack, fields)
    t.same(decode(block), fields)
    return block.length
  })
  t.ok(Math.min(...lengths) > 3_200)
  t.equal(hpack.indexOf('small', 'x'), 62)
})

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789-_/=., ABCÄÿ~{}'

function huffman(text: string): Buffer {
  const codes = new Map(HUFFMAN_CODES.map((code) => [code.symbol, code]))
  const bits = [...Buffer.from(text, 'latin1')]
    .map((symbol) => {
      const { code = 0, bits = 0 } = codes.get(symbol) ?? {}
      return code.toString(2).padStart(bits, '0')
    })
    .join('')
  const octets = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1').match(/.{8}/g) ?? []
  if (octets.length > 126) throw new RangeError('a longer string than this test writes')
  return Buffer.from([0x80 | octets.length, ...octets.map((octet) => Number.parseInt(octet, 2))])
}

t.test('what one side encodes the other decodes', async (t) => {
  const dice = chance(7541)
  const hpack = new HpackEncoder()
  const { decode } = decoder()
  for (let round = 0; round < 2_000; round++) {
    if (dice.oneIn(20)) hpack.limitTable(dice.below(5_000))
    const fields: Fields = Array.from({ length: dice.below(12) }, () => [
      dice.pick(['a', 'authorization', ':path', 'apns-topic', `x-${dice.below(300)}`]),
      dice.text(ALPHABET, dice.oneIn(10) ? 300 : 12),
    ])
    const block = encode(hpack, () => {
      for (const [name, value] of fields)
        if (dice.oneIn(4)) hpack.literal(name, value)
        else hpack.field(name, value)
    })
    if (JSON.stringify(decode(block)) !== JSON.stringify(fields)) t.fail(`round ${round}`)
  }
  t.pass('2000 blocks')
})

t.test('chance: blocks of random octets, and good ones with a few octets changed', async (t) => {
  const rounds = LONG ? 1_000_000 : 30_000
  const dice = chance(9113)
  let decoded = 0
  let refused = 0
  let hpack = new HpackEncoder()
  let it = decoder(8_192)
  for (let round = 0; round < rounds; round++) {
    const block = dice.oneIn(2) ? dice.octets(dice.below(60)) : mutated()
    try {
      it.decode(block)
      decoded++
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error
      refused++
      it = decoder(8_192)
      hpack = new HpackEncoder()
    }
  }
  t.ok(decoded > rounds / 50 && refused > rounds / 50, `${decoded} decoded, ${refused} refused`)

  function mutated(): Buffer {
    const block = encode(hpack, () => {
      for (let count = dice.below(6); count >= 0; count--) hpack.field(`x-${dice.below(20)}`, dice.text(ALPHABET, 20))
    })
    const huffed = dice.oneIn(3) ? [block, Buffer.of(0x04), huffman(dice.text(ALPHABET, 30))] : [block]
    return dice.mutate(Buffer.concat(huffed), dice.below(3))
  }
})
