// The fake of PowerAuth Server: the two calls that a push server makes, HTTP/1.1 over TLS.
// https://github.com/wultra/powerauth-server/blob/develop/docs/WebServices-Methods.md
import { randomBytes } from 'node:crypto'
import type { Context } from '../context.ts'
import { isRecord, parseRecord, readText } from '../json.ts'
import { jsonReply, type Exchange, type Reply } from '../wire/http-exchange.ts'
import { startListener, type ListenAddress } from '../wire/listener.ts'
import { remember, type Directory, type PowerAuthBehaviour, type PowerAuthRequest } from './directory.ts'

/** Prefix of the paths of PowerAuth Server. */
export const POWER_AUTH_BASE = '/rest'
const BYTES_KEPT = 64 * 1024

export function startPowerAuth({ latency }: Context, address: ListenAddress, directory: Directory) {
  const calls: Readonly<Record<string, (requestObject: unknown) => Reply>> = {
    [`${POWER_AUTH_BASE}/v3/activation/status`]: (requestObject) => statusOf(requestObject, directory),
    [`${POWER_AUTH_BASE}/v3/application/list`]: () =>
      ok({
        applications: directory.applications().map((applicationId) => ({ applicationId, applicationRoles: [] })),
      }),
  }

  function replyTo({ method, path, headers, body }: Exchange): Reply {
    if (!directory.admits(headers.authorization)) return failed(401, 'ERR_AUTHENTICATION', 'Authentication failed')
    const call = method === 'POST' ? calls[path] : undefined
    if (!call) return failed(404, 'ERROR_GENERIC', 'Not Found')
    const request = parseRecord(body.bytes.toString())
    if (!request) return failed(400, 'ERR0024', 'Invalid request')
    return call(request['requestObject'])
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

const EPOCH = '1970-01-01T00:00:00.000+00:00'

/** An unknown activation shows as removed, so that a caller cannot learn which ones exist. */
function statusOf(requestObject: unknown, directory: Directory): Reply {
  const activationId = isRecord(requestObject) ? readText(requestObject['activationId']) : undefined
  if (activationId === undefined) return failed(400, 'ERR0001', 'No activation ID was set')
  const known = directory.find(activationId)
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
    timestampCreated: known ? new Date().toISOString().replace('Z', '+00:00') : EPOCH,
    timestampLastUsed: known ? new Date().toISOString().replace('Z', '+00:00') : EPOCH,
    encryptedStatusBlob: randomBytes(32).toString('base64'),
    version: known ? 3 : 0,
    activationFlags: [],
    applicationRoles: [],
  })
}
