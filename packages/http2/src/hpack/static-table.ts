// The static table of RFC 7541 appendix A, in its order; the first entry has index 1.
const TABLE = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`

export interface Field {
  readonly name: string
  readonly value: string
}

/** Without an entry at 0, so that positions are indexes. */
export const STATIC_TABLE: readonly (Field | undefined)[] = [
  undefined,
  ...TABLE.split('\n').map((line) => {
    const [name = '', ...value] = line.split(' ')
    return { name, value: value.join(' ') }
  }),
]

/** Where the dynamic table begins (RFC 7541 section 2.3.3). */
export const FIRST_DYNAMIC = STATIC_TABLE.length

/** Name to the lowest index that has it. */
export const STATIC_NAMES: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.flatMap((field, index): [string, number][] => (field ? [[field.name, index]] : [])).toReversed(),
)

/** Two fields have the same key only if they are equal, since names have no NUL. */
export const fieldKey = (name: string, value: string): string => `${name}\0${value}`

/** Index of each field of the table with a value. */
export const STATIC_FIELDS: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.flatMap((field, index): [string, number][] =>
    field?.value ? [[fieldKey(field.name, field.value), index]] : [],
  ),
)
