// The pure parts of the contract, as tables.
import t from 'tap'
import Type from 'typebox'
import {
  ApiError,
  applicationNotFound,
  conflict,
  ERROR_STATUS,
  inboxMessageNotFound,
  instantOf,
  internalError,
  invalidRequest,
  platformOf,
  PLATFORM_NAMES,
  PLATFORMS,
  PROVIDER_NAMES,
  refusal,
  shapedAs,
  TEXT,
  timestampOf,
  unavailable,
  type Platform,
} from '../src/index.ts'

t.test('platformOf: both names of each platform in any case, nothing else', async (t) => {
  const cases: [name: string, platform: Platform | undefined][] = [
    ['ios', 'ios'],
    ['apns', 'ios'],
    ['android', 'android'],
    ['fcm', 'android'],
    ['huawei', 'huawei'],
    ['hms', 'huawei'],
    ['iOS', 'ios'],
    ['APNS', 'ios'],
    ['FcM', 'android'],
    ['Huawei', 'huawei'],
    ['', undefined],
    [' ios', undefined],
    ['ios ', undefined],
    ['ipados', undefined],
    ['gcm', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
  ]
  for (const [name, platform] of cases) t.equal(platformOf(name), platform, JSON.stringify(name))
  t.same(PLATFORMS, ['ios', 'android', 'huawei'], 'in the order of the responses')
  t.same(PLATFORM_NAMES.map(platformOf), [...PLATFORMS, ...PLATFORMS], 'every name that a request may use is known')
  for (const platform of PLATFORMS) t.equal(platformOf(PROVIDER_NAMES[platform]), platform)
})

t.test('timestampOf: UTC, three fraction digits, a colon in the offset', async (t) => {
  const cases: [time: number, text: string][] = [
    [0, '1970-01-01T00:00:00.000+00:00'],
    [Date.UTC(2024, 3, 10, 12, 34, 56, 789), '2024-04-10T12:34:56.789+00:00'],
    [Date.UTC(2022, 7, 25, 22, 34, 58, 700), '2022-08-25T22:34:58.700+00:00'],
    [Date.UTC(2024, 1, 29, 23, 59, 59, 999), '2024-02-29T23:59:59.999+00:00'],
    [-1, '1969-12-31T23:59:59.999+00:00'],
  ]
  for (const [time, text] of cases) {
    t.equal(timestampOf(new Date(time)), text)
    t.equal(instantOf(text), time, 'reads what it writes')
  }
  t.throws(() => timestampOf(new Date(Number.NaN)), RangeError)
})

t.test('instantOf: ISO texts with an offset, and seconds', async (t) => {
  const noon = Date.UTC(2026, 11, 11, 12, 0, 0)
  const cases: [value: string | number, time: number | undefined][] = [
    ['2026-12-11T12:00:00Z', noon],
    ['2026-12-11T12:00Z', noon],
    ['2026-12-11T12:00:00.5Z', noon + 500],
    ['2026-12-11T12:00:00.123Z', noon + 123],
    ['2026-12-11T12:00:00.123456Z', noon + 123],
    ['2026-12-11T12:00:00.999999999Z', noon + 999],
    ['2026-12-11T14:00:00+02:00', noon],
    ['2026-12-11T14:00:00+0200', noon],
    ['2026-12-11T06:30:00-05:30', noon],
    ['2026-12-11T12:00:00+00:00', noon],
    [noon / 1000, noon],
    [noon / 1000 + 0.25, noon + 250],
    [0, 0],
    [-1.5, -1500],
    // The last number that can be of seconds, and milliseconds given for seconds.
    [99_999_999_999, 99_999_999_999_000],
    [1e11, undefined],
    [noon, undefined],
    [-noon, undefined],
    ['2028-02-29T12:00:00Z', Date.UTC(2028, 1, 29, 12)],
    ['2026-02-29T12:00:00Z', undefined],
    ['2026-04-31T12:00:00+02:00', undefined],
    ['2026-12-11T24:00:00Z', Date.UTC(2026, 11, 12)],
    [Number.POSITIVE_INFINITY, undefined],
    [Number.NaN, undefined],
    ['', undefined],
    ['tomorrow', undefined],
    ['2026-12-11', undefined],
    ['2026-12-11T12:00:00', undefined],
    ['2026-12-11 12:00:00Z', undefined],
    ['2026-12-11T12:00:00.Z', undefined],
    ['2026-12-11T12:00:00.1234567890Z', undefined],
    ['2026-12-11T12:00:00 +02:00', undefined],
    ['2026-12-11T12:00:00+2', undefined],
    ['2026-13-01T12:00:00Z', undefined],
    ['2026-12-32T12:00:00Z', undefined],
    ['2026-12-11T25:00:00Z', undefined],
    ['2026-12-11T12:60:00Z', undefined],
    [`${noon / 1000}`, noon],
    [`${noon / 1000}.25`, noon + 250],
    ['100000000000', undefined],
    ['-1.5', undefined],
    ['Fri, 11 Dec 2026 12:00:00 GMT', undefined],
  ]
  for (const [value, time] of cases) t.equal(instantOf(value), time, JSON.stringify(value))
})

t.test('error catalogue: every code has its status', async (t) => {
  t.same(ERROR_STATUS, {
    ERROR_GENERIC: 400,
    ERROR_REQUEST: 400,
    ERROR_UNAUTHORIZED: 401,
    ERROR_FORBIDDEN: 403,
    ERROR_APP_NOT_FOUND: 400,
    ERROR_MESSAGE_NOT_FOUND: 400,
    ERROR_NOT_FOUND: 404,
    ERROR_METHOD_NOT_ALLOWED: 405,
    ERROR_DATA_INTEGRITY: 409,
    ERROR_IDEMPOTENCY: 409,
    ERROR_TOO_LARGE: 413,
    ERROR_TOO_MANY_REQUESTS: 429,
    ERROR_UNAVAILABLE: 503,
  })
  for (const [code, status] of Object.entries(ERROR_STATUS))
    t.equal(new ApiError(code as keyof typeof ERROR_STATUS, 'text').statusCode, status, code)
  t.equal(new ApiError('ERROR_REQUEST', 'text', { statusCode: 415 }).statusCode, 415, 'unless one is given')
})

t.test('error catalogue: what the makers make', async (t) => {
  const cause = new Error('inside')
  const violations = [{ fieldName: 'requestObject.token', hint: 'must not be empty' }]
  t.match(refusal(TEXT.appIdMissing, cause), {
    statusCode: 400,
    code: 'ERROR_GENERIC',
    message: 'App ID must not be null.',
    cause,
  })
  t.equal(refusal('text').violations, undefined)
  t.match(invalidRequest(violations), {
    statusCode: 400,
    code: 'ERROR_REQUEST',
    message: 'Invalid method parameter value',
    violations,
  })
  const failure = internalError(cause)
  t.match(failure, { statusCode: 500, code: 'ERROR_GENERIC', message: 'Internal server error', cause })
  t.notMatch(failure.message, cause.message)
  t.match(unavailable('away', 5, cause), { statusCode: 503, code: 'ERROR_UNAVAILABLE', retryAfter: 5, cause })
  t.match(conflict(cause), { statusCode: 409, code: 'ERROR_DATA_INTEGRITY', cause })
  t.match(applicationNotFound('text'), { statusCode: 400, code: 'ERROR_APP_NOT_FOUND', message: 'text' })
  t.match(inboxMessageNotFound('text'), { statusCode: 400, code: 'ERROR_MESSAGE_NOT_FOUND', message: 'text' })
  for (const error of [refusal('text'), failure]) t.ok(error instanceof ApiError && error instanceof Error)
})

t.test('texts with a part of their own', async (t) => {
  t.equal(TEXT.credentialsUnknown('mobile'), 'Application credentials with entered ID: mobile does not exist')
  t.equal(TEXT.sendApplicationUnknown('mobile'), 'AppCredentials not found: mobile')
  t.equal(
    TEXT.batchTooLarge(20),
    'Too many messages in batch - do no send more than 20 messages at once to avoid server congestion.',
  )
  t.equal(
    TEXT.batchItem(3, TEXT.messageNull),
    'Push message at index: 3 is not valid. Nested error is: Push message must not be null.',
  )
})

t.test('shapedAs: the members of the schema alone, at every depth', async (t) => {
  const inner = Type.Object({ id: Type.Integer(), free: Type.Unsafe<object>({ type: 'object' }) })
  const schema = Type.Object({ status: Type.String(), page: Type.Integer(), inner, list: Type.Array(inner) })
  const cases: [name: string, value: unknown, shaped: unknown][] = [
    [
      'members of later versions go',
      { status: 'OK', added: 1, inner: { id: 1, state: 'sent' } },
      { status: 'OK', inner: { id: 1 } },
    ],
    ['in lists too', { list: [{ id: 1, state: 'sent' }] }, { list: [{ id: 1 }] }],
    ['nulls are left out', { status: null, inner: { id: null } }, { inner: {} }],
    ['zero and empty stay', { status: '', page: 0, list: [] }, { status: '', page: 0, list: [] }],
    [
      'texts of digits are numbers',
      { page: '7', inner: { id: '9007199254740991' } },
      { page: 7, inner: { id: 9007199254740991 } },
    ],
    ['beyond 2^53 they stay texts', { inner: { id: '9007199254740993' } }, { inner: { id: '9007199254740993' } }],
    [
      'free content keeps its members, but for nulls',
      { inner: { free: { a: 1, b: null, c: { d: null }, e: [null, { f: null }] } } },
      { inner: { free: { a: 1, c: {}, e: [null, {}] } } },
    ],
    ['names of Object.prototype are no members', JSON.parse('{"inner":{"constructor":1}}'), { inner: {} }],
  ]
  for (const [name, value, shaped] of cases) t.same(shapedAs(schema, value), shaped, name)
})
