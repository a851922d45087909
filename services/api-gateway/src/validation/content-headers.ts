// What the headers say of a body's bytes: UTF-8 as they are, or the body is refused before it is read. Pure.
import { ApiError } from '@push-server/contract'
import type { IncomingHttpHeaders } from 'node:http'

const CHARSET = /;\s*charset\s*=\s*("?)([^";]*)\1/gi
const UTF8 = /^utf-?8$/i

/** Throws 415 for a body in another charset, and for one that is compressed. */
export function checkContentHeaders(headers: IncomingHttpHeaders): void {
  const charsets = [...(headers['content-type'] ?? '').matchAll(CHARSET)].map(([, , name = '']) => name.trim())
  if (!charsets.every((name) => UTF8.test(name))) throw unsupported('The charset of the body must be UTF-8')
  const encodings = (headers['content-encoding'] ?? '').split(',').map((name) => name.trim().toLowerCase())
  if (!encodings.every((name) => name === '' || name === 'identity'))
    throw unsupported('The body must be sent as it is, without a Content-Encoding')
}

const unsupported = (message: string) => new ApiError('ERROR_REQUEST', message, { statusCode: 415 })
