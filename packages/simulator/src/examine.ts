// What a fake says of one push, without a connection: the checks of its server on headers and body. Pure.
import type { Platform } from '@push-server/contract'
import { findError, findSizeFailure, findTypeFailure } from './apns/checks.ts'
import { readSend as readFcm } from './fcm/checks.ts'
import { readSend as readHms } from './hms/checks.ts'
import { readSendV3 as readHmsV3 } from './hms/checks-v3.ts'
import { parseRecord } from './json.ts'

export interface SentPush {
  token: string
  headers: Readonly<Record<string, string>>
  body: string
}

/** The payload as the phone gets it, without its token. */
export type Examined = { payload: Readonly<Record<string, unknown>> } | { refused: string }

type Examine = (push: SentPush) => Examined

const EXAMINE: Record<Platform, Examine> = {
  ios({ token, headers, body }) {
    const failure = findError(token, headers, undefined) ?? findSizeFailure(Buffer.byteLength(body), headers)
    if (failure) return { refused: failure }
    const payload = parseRecord(body)
    if (!payload) return { refused: 'PayloadEmpty' }
    const typeFailure = findTypeFailure(payload, headers)
    return typeFailure ? { refused: typeFailure } : { payload }
  },
  android({ body }) {
    const read = readFcm(received(body))
    return 'payload' in read ? { payload: read.payload } : { refused: String(read.body) }
  },
  huawei({ headers, body }) {
    const pushType = headers['push-type']
    const read = pushType === undefined ? readHms(received(body)) : readHmsV3(received(body), pushType)
    return 'payload' in read ? { payload: read.payload } : { refused: `${read.code} ${read.text ?? ''}` }
  },
}

const received = (body: string) => ({ size: Buffer.byteLength(body), bytes: Buffer.from(body) })

/** The body as it came; every provider token is taken for valid. */
export const examinePush = (platform: Platform, push: SentPush): Examined => EXAMINE[platform](push)
