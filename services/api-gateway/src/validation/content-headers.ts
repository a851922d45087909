// What the headers say of a body's bytes: UTF-8 as they are, or the body is refused before it is read. Pure.
import { ApiError } from '@push-server/contract'
import type { IncomingHttpHeaders } from 'node:http'

const CHARSET = /;\s*charset\s*=\s*("?)([^";]*)\1/gi
const UTF8 = /^utf-?8$/i

/** Throws 415 for a body in another charset, and for one that is compressed. */
export function checkContentHeaders(headers: IncomingHttpHeaders): void {
  const { 'content-type': type = '', 'content-encoding': encoding = '' } = headers
  // Most types have no parameters, and most bodies no encoding.
  if (type.includes(';') && !charsetsOf(type).every((name) => UTF8.test(name)))
    throw unsupported('The charset of the body must be UTF-8')
  if (encoding !== '' && !encodingsOf(encoding).every((name) => name === '' || name === 'identity'))
    throw unsupported('The body must be sent as it is, without a Content-Encoding')
}

const charsetsOf = (type: string) => Array.from(type.matchAll(CHARSET), ([, , name = '']) => name.trim())
const encodingsOf = (header: string) => header.split(',').map((name) => name.trim().toLowerCase())

const unsupported = (message: string) => new ApiError('ERROR_REQUEST', message, { statusCode: 415 })
