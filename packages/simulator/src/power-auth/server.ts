// The fake of PowerAuth Server: the two calls that a push server makes, in versions 3 and 4 of the interface, HTTP/1.1 over TLS.
// https://github.com/wultra/powerauth-server/blob/develop/docs/WebServices-Methods.md
import { randomBytes } from 'node:crypto'
import type { Context } from '../context.ts'
import { isRecord, parseRecord, readText } from '../json.ts'
import { jsonReply, type Exchange, type Reply } from '../wire/http-exchange.ts'
import { startListener, type ListenAddress } from '../wire/listener.ts'
import {
  POWER_AUTH_VERSIONS,
  remember,
  type Directory,
  type PowerAuthBehaviour,
  type PowerAuthRequest,
  type PowerAuthVersion,
} from './directory.ts'

/** Prefix of the paths of PowerAuth Server. */
export const POWER_AUTH_BASE = '/rest'
const BYTES_KEPT = 64 * 1024

const CALLS: Readonly<Record<string, (call: Call) => Reply>> = {
  '/activation/status': statusOf,
  '/application/list': ({ directory }) =>
    ok({ applications: directory.applications().map((applicationId) => ({ applicationId, applicationRoles: [] })) }),
}

interface Call {
  version: PowerAuthVersion
  requestObject: unknown
  directory: Directory
}

export function startPowerAuth({ latency }: Context, address: ListenAddress, directory: Directory) {
  function replyTo({ method, path, headers, body }: Exchange): Reply {
    if (!directory.admits(headers.authorization)) return failed(401, 'ERR_AUTHENTICATION', 'Authentication failed')
    const version = POWER_AUTH_VERSIONS.find((one) => path.startsWith(`${POWER_AUTH_BASE}/${one}/`))
    const call = version && method === 'POST' ? CALLS[path.slice(`${POWER_AUTH_BASE}/${version}`.length)] : undefined
    if (!version || !call || !directory.serves(version)) return pathUnknown(path, directory)
    const request = parseRecord(body.bytes.toString())
    if (!request) return failed(400, 'ERR0024', 'Invalid request')
    return call({ version, requestObject: request['requestObject'], directory })
  }

  function take(exchange: Exchange) {
    remember(directory, requestOf(exchange))
    const behaviour = directory.takeBehaviour()
    if (!behaviour) return latency.delay(() => exchange.reply(replyTo(exchange)))
    misbehave(exchange, behaviour)
  }

  function misbehave(exchange: Exchange, behaviour: PowerAuthBehaviour) {
    if ('failure' in behaviour) {
      const { failure } = behaviour
      if (failure !== 'silence') latency.delay(() => exchange.fail({ failure }))
      return
    }
    const {
      status,
      code = 'ERR0009',
      message = `Simulated ${status}`,
    } = 'status' in behaviour ? behaviour : { status: 200 }
    const reply =
      'text' in behaviour ? { status, headers: JSON_TYPE, body: behaviour.text } : failed(status, code, message)
    latency.delay(() => exchange.reply(reply))
  }

  return startListener(address, { protocols: ['http/1.1'], streams: 1, bytesKept: BYTES_KEPT, open: () => take })
}

const JSON_TYPE = { 'content-type': 'application/json' }

const requestOf = ({ path, headers, body }: Exchange): PowerAuthRequest => ({
  path,
  requestObject: parseRecord(body.bytes.toString())?.['requestObject'],
  authorization: headers.authorization,
  correlationId: readText(headers['x-correlation-id']),
  traceparent: readText(headers['traceparent']),
})

const ok = (responseObject: object) => jsonReply(200, { status: 'OK', responseObject })

const failed = (status: number, code: string, message: string) =>
  jsonReply(status, { status: 'ERROR', responseObject: { code, message, localizedMessage: message } })

/** PowerAuth Server 1.x, which has version 3 alone, responds with its framework's page; 2.x in the envelope. */
const pathUnknown = (path: string, directory: Directory) =>
  directory.serves('v4')
    ? failed(404, 'ERROR_NOT_FOUND', 'Resource not found.')
    : jsonReply(404, { timestamp: new Date().toISOString(), status: 404, error: 'Not Found', path })

const EPOCH = '1970-01-01T00:00:00.000+00:00'

/** An unknown activation shows as removed, so that a caller cannot learn which ones exist. */
function statusOf({ version, requestObject, directory }: Call): Reply {
  const members = isRecord(requestObject) ? requestObject : {}
  const activationId = readText(members['activationId'])
  if (activationId === undefined) return failed(400, 'ERR0024', 'activationId - must not be blank')
  const known = directory.find(activationId)
  const now = new Date().toISOString().replace('Z', '+00:00')
  return ok({
    activationId,
    activationStatus: known?.status ?? 'REMOVED',
    activationOtpValidation: 'NONE',
    commitPhase: 'ON_COMMIT',
    blockedReason: known?.status === 'BLOCKED' ? 'NOT_SPECIFIED' : null,
    activationName: known ? 'Simulated phone' : 'unknown',
    userId: known?.userId ?? 'unknown',
    extras: null,
    protocol: 'powerauth',
    applicationId: known?.applicationId ?? null,
    failedAttempts: 0,
    maxFailedAttempts: 5,
    timestampCreated: known ? now : EPOCH,
    timestampLastUsed: known ? now : EPOCH,
    ...ofVersion[version](members),
    version: known ? 3 : 0,
    activationFlags: [],
    applicationRoles: [],
  })
}

/** What only one version has. */
const ofVersion: Readonly<Record<PowerAuthVersion, (request: Readonly<Record<string, unknown>>) => object>> = {
  v3: () => ({ encryptedStatusBlob: newBlob(), encryptedStatusBlobNonce: null }),
  v4: ({ includeStatusBlob = true }) => ({
    confirmationPending: false,
    statusBlob: includeStatusBlob === true ? newBlob() : null,
    additionalData: null,
    parentActivationId: null,
    transferType: null,
  }),
}

const newBlob = () => randomBytes(32).toString('base64')
