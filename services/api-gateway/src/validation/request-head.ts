// The rules of HTTP/1.1 that Node's parser leaves to the server. Pure.
import type { IncomingMessage } from 'node:http'
import { ApiError } from '@push-server/contract'
import { isHost } from '@push-server/runtime'

/** Node keeps as many and drops the others silently, be it Origin or Authorization. */
export const MOST_HEADERS = 200

/** Reads the raw headers: of a header that is there twice, Node shows the first alone. */
export function headError({ httpVersion, headers, rawHeaders }: Pick<IncomingMessage, HeadPart>): ApiError | undefined {
  if (rawHeaders.length > 2 * MOST_HEADERS) return error(431, `There are more than ${MOST_HEADERS} headers`)
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length
  if (hosts > 1) return error(400, 'There is more than one Host header')
  if (hosts === 0 && httpVersion === '1.1') return error(400, 'The Host header is missing')
  if (headers.host !== undefined && !isHost(headers.host)) return error(400, 'The Host header is not valid')
  return undefined
}

type HeadPart = 'httpVersion' | 'headers' | 'rawHeaders'

/** For anything but `100-continue`, which Node handles itself. */
export const expectationError = () => error(417, 'The only expectation that is met is Expect: 100-continue')

const error = (statusCode: number, message: string) => new ApiError('ERROR_REQUEST', message, { statusCode })
