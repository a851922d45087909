// Which trace a request belongs to: the rules of W3C Trace Context, section 3.2, and of B3, as tables.
import t from 'tap'
import { spanOf, traceIdOf } from '../src/index.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const SHORT = '8448eb211c80319c'
const ZEROS = '0'.repeat(32)

type Headers = Record<string, string | string[]>
/** The trace, and the flags that go on; undefined: no trace. */
type Expected = readonly [traceId: string, flags: '00' | '01'] | undefined

const w3c = (traceparent: string | string[]): Headers => ({ traceparent })
const b3 = (value: string): Headers => ({ b3: value })
const many = (traceId: string, spanId: string, more: Headers = {}): Headers => ({
  'x-b3-traceid': traceId,
  'x-b3-spanid': spanId,
  ...more,
})

const CASES: readonly [name: string, headers: Headers, expected: Expected][] = [
  ['none', {}, undefined],
  ['sampled', w3c(`00-${TRACE}-${PARENT}-01`), [TRACE, '01']],
  ['not sampled', w3c(`00-${TRACE}-${PARENT}-00`), [TRACE, '00']],
  ['flags that we do not know are not handed on', w3c(`00-${TRACE}-${PARENT}-ff`), [TRACE, '01']],
  ['the same without the one that we know', w3c(`00-${TRACE}-${PARENT}-fe`), [TRACE, '00']],
  ['a later version', w3c(`cc-${TRACE}-${PARENT}-01`), [TRACE, '01']],
  ['a later version with more', w3c(`01-${TRACE}-${PARENT}-01-what-the-future-brings`), [TRACE, '01']],
  ['a later version with an empty member', w3c(`01-${TRACE}-${PARENT}-01-`), [TRACE, '01']],
  ['a later version with more and no hyphen', w3c(`01-${TRACE}-${PARENT}-01.what`), undefined],
  ['version 00 with more', w3c(`00-${TRACE}-${PARENT}-01-what`), undefined],
  ['version 00 with a hyphen at the end', w3c(`00-${TRACE}-${PARENT}-01-`), undefined],
  ['version ff', w3c(`ff-${TRACE}-${PARENT}-01`), undefined],
  ['a version in upper case', w3c(`CC-${TRACE}-${PARENT}-01`), undefined],
  ['a version of one digit', w3c(`0-${TRACE}-${PARENT}-01`), undefined],
  ['a trace id of zeros', w3c(`00-${ZEROS}-${PARENT}-01`), undefined],
  ['a parent id of zeros', w3c(`00-${TRACE}-${ZEROS.slice(16)}-01`), undefined],
  ['a trace id in upper case', w3c(`00-${TRACE.toUpperCase()}-${PARENT}-01`), undefined],
  ['a parent id in upper case', w3c(`00-${TRACE}-${PARENT.toUpperCase()}-01`), undefined],
  ['a short trace id', w3c(`00-${TRACE.slice(1)}-${PARENT}-01`), undefined],
  ['a long trace id', w3c(`00-${TRACE}0-${PARENT}-01`), undefined],
  ['a short parent id', w3c(`00-${TRACE}-${PARENT.slice(1)}-01`), undefined],
  ['a long parent id', w3c(`00-${TRACE}-${PARENT}0-01`), undefined],
  ['flags of one digit', w3c(`00-${TRACE}-${PARENT}-1`), undefined],
  ['flags that are no digits', w3c(`00-${TRACE}-${PARENT}-0g`), undefined],
  ['no flags', w3c(`00-${TRACE}-${PARENT}`), undefined],
  ['a letter that is no digit', w3c(`00-g${TRACE.slice(1)}-${PARENT}-01`), undefined],
  ['a blank before it', w3c(` 00-${TRACE}-${PARENT}-01`), undefined],
  ['a line break at the end', w3c(`00-${TRACE}-${PARENT}-01\n`), undefined],
  ['empty', w3c(''), undefined],
  ['two of them, as Node joins them', w3c(`00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`), undefined],
  ['two of a later version', w3c(`01-${TRACE}-${PARENT}-01, 01-${TRACE}-${PARENT}-01`), undefined],
  ['two of them as a list', w3c([`00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01`]), undefined],
  ['b3', b3(`${TRACE}-${PARENT}-1`), [TRACE, '01']],
  ['b3 with a parent', b3(`${TRACE}-${PARENT}-1-${SHORT}`), [TRACE, '01']],
  ['b3 for debugging', b3(`${TRACE}-${PARENT}-d`), [TRACE, '01']],
  ['b3 that is not sampled', b3(`${TRACE}-${PARENT}-0`), [TRACE, '00']],
  ['b3 without a decision', b3(`${TRACE}-${PARENT}`), [TRACE, '00']],
  ['b3 of 64 bits', b3(`${SHORT}-${PARENT}-1`), [SHORT.padStart(32, '0'), '01']],
  ['b3 that says only whether to sample', b3('0'), undefined],
  ['b3 of zeros', b3(`${ZEROS}-${PARENT}-1`), undefined],
  ['b3 whose span is zeros', b3(`${TRACE}-${ZEROS.slice(16)}-1`), undefined],
  ['b3 in upper case', b3(`${TRACE.toUpperCase()}-${PARENT}-1`), undefined],
  ['b3 with another decision', b3(`${TRACE}-${PARENT}-2`), undefined],
  ['b3 with more', b3(`${TRACE}-${PARENT}-1-${SHORT}-1`), undefined],
  ['many', many(TRACE, PARENT, { 'x-b3-sampled': '1' }), [TRACE, '01']],
  ['many of 64 bits', many(SHORT, PARENT), [SHORT.padStart(32, '0'), '00']],
  ['many, sampled in words', many(TRACE, PARENT, { 'x-b3-sampled': 'true' }), [TRACE, '01']],
  ['many, not sampled', many(TRACE, PARENT, { 'x-b3-sampled': '0' }), [TRACE, '00']],
  ['many for debugging', many(TRACE, PARENT, { 'x-b3-flags': '1' }), [TRACE, '01']],
  ['many with zeros', many(ZEROS, PARENT), undefined],
  ['many without a span', { 'x-b3-traceid': TRACE }, undefined],
  ['many with a bad span', many(TRACE, 'here'), undefined],
  ['many with a bad trace', many('here', PARENT), undefined],
  ['W3C before b3', { ...w3c(`00-${TRACE}-${PARENT}-01`), ...b3(`${SHORT}-${PARENT}-0`) }, [TRACE, '01']],
  ['b3 where W3C is not valid', { ...w3c('here'), ...b3(`${TRACE}-${PARENT}-1`) }, [TRACE, '01']],
  ['b3 before many', { ...b3(`${TRACE}-${PARENT}-1`), ...many(SHORT, PARENT) }, [TRACE, '01']],
  ['many where b3 only decides', { ...b3('1'), ...many(TRACE, PARENT) }, [TRACE, '00']],
]

for (const [name, headers, expected] of CASES)
  t.test(name, async (t) => {
    const span = spanOf(headers)
    if (!expected) return t.equal(span, undefined)
    const [traceId, flags] = expected
    if (!span) return t.fail('there is no trace')
    t.equal(span.traceId, traceId)
    t.match(span.spanId, /^(?!0{16})[0-9a-f]{16}$/)
    t.not(span.spanId, PARENT, 'a span of its own')
    t.equal(span.traceparent, `00-${traceId}-${span.spanId}-${flags}`)
    t.equal(traceIdOf(span.traceparent), traceId)
    t.same(spanOf({ traceparent: span.traceparent })?.traceId, traceId, 'what goes on is valid')
  })

t.test('each request has a span of its own', async (t) => {
  const headers = w3c(`00-${TRACE}-${PARENT}-01`)
  t.equal(new Set(Array.from({ length: 100 }, () => spanOf(headers)?.spanId)).size, 100)
})
