// The fake of HMS Push Kit: HTTP/1.1 over TLS, with Huawei's OAuth endpoint on the same address.
// https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197
import type { AccessTokens } from '../access-tokens.ts'
import { isAccepted } from '../behaviour.ts'
import type { Context } from '../context.ts'
import { oauthRoutes } from '../oauth-routes.ts'
import type { HmsPush } from '../push.ts'
import { createRequestHandler } from '../request-handler.ts'
import { withExtras, type Exchange } from '../wire/http-exchange.ts'
import { startListener, type ListenAddress } from '../wire/listener.ts'
import type { HmsAccounts, HmsPermit } from './accounts.ts'
import { readSend } from './checks.ts'
import { readSendV3 } from './checks-v3.ts'
import { codeReply, PARTIAL_SUCCESS, SUCCESS, toRefusal } from './codes.ts'
import { toNotification } from './notification.ts'
import { toNotificationV3 } from './notification-v3.ts'
import { createSeenMessages } from './seen-messages.ts'
import type { HmsServiceAccounts } from './service-accounts.ts'
import { sortTokens, type SortedTokens } from './tokens.ts'

export interface HmsOptions {
  accounts: HmsAccounts
  tokens: AccessTokens<HmsPermit>
  serviceAccounts: HmsServiceAccounts
}

export const HMS_TOKEN_PATH = '/oauth2/v3/token'
const SEND_PATH = /^\/v[123]\/([^/]+)\/messages:send$/
/** More than a message and a thousand of the longest tokens need. */
const BYTES_KEPT = 1024 * 1024

export function startHms(context: Context, address: ListenAddress, options: HmsOptions) {
  const { accounts, tokens, serviceAccounts } = options
  const seen = createSeenMessages()
  const handler = createRequestHandler<HmsPush>(
    { platform: 'huawei', compose: (push) => (push.version === 3 ? toNotificationV3(push) : toNotification(push)) },
    context,
  )

  function send(exchange: Exchange, projectId: string) {
    const requestId = makeId()
    const reject = (status: number, code: string, text?: string) =>
      handler.refuse(exchange, codeReply({ status, code, text, requestId }))
    const { headers, body } = exchange
    const version = exchange.path.startsWith('/v3/') ? 3 : 2
    const refusal =
      version === 3
        ? serviceAccounts.admit(headers.authorization, projectId)
        : admit(tokens.find(headers.authorization), projectId)
    if (refusal) return reject(401, refusal)
    const request = version === 3 ? readSendV3(body, textOf(headers['push-type'])) : readSend(body)
    if ('code' in request) return reject(400, request.code, request.text)
    const { payload, validateOnly } = request
    if (validateOnly) return handler.accept(exchange, { reply: success(requestId), pushes: [] })

    const { length } = request.tokens
    const busy = handler.excess(length)
    const sorted: SortedTokens = busy
      ? { legal: [], illegal: [], response: busy }
      : sortTokens(request.tokens, context.responses)
    const { response, failing, extras, legal, illegal } = sorted
    if (response) {
      const reply = withExtras(toRefusal(response, requestId), response)
      return handler.refuse(exchange, reply, { pushes: length, delayMs: response.delayMs })
    }
    if (failing && !isAccepted(failing.failure)) return handler.fail(exchange, failing)
    const common = { platform: 'huawei', version, projectId, requestId, headers, payload } as const
    const receivedAt = new Date()
    handler.accept(exchange, {
      reply: withExtras(toReply(sorted, requestId, version), extras ?? {}),
      pushes: seen.unseen(legal, payload).map((token) => ({ ...common, token, receivedAt })),
      refused: illegal.length,
      delayMs: extras?.delayMs,
      failing,
    })
  }

  const take = oauthRoutes({
    sendPath: SEND_PATH,
    tokenPath: HMS_TOKEN_PATH,
    grant: accounts.grant,
    send,
    control: context.controls.huawei,
  })

  return startListener(address, { protocols: ['http/1.1'], streams: 1, bytesKept: BYTES_KEPT, open: () => take })
}

/** The code of the refusal; undefined when the holder of the token may push. */
function admit(found: ReturnType<AccessTokens<HmsPermit>['find']>, projectId: string): string | undefined {
  if (found === 'expired') return '80200003'
  if (typeof found === 'string') return '80200001'
  // As with Huawei, a token of another application does not authenticate here.
  return !found.holder || found.holder.has(projectId) ? undefined : '80200001'
}

const textOf = (header: string | string[] | undefined) => (typeof header === 'string' ? header : undefined)

const success = (requestId: string) => codeReply({ status: 200, code: SUCCESS, requestId })

function toReply({ legal, illegal }: SortedTokens, requestId: string, version: HmsPush['version']) {
  if (illegal.length === 0) return success(requestId)
  if (legal.length === 0) return codeReply({ status: 400, code: '80300007', requestId })
  const list = version === 3 ? { illegalTokens: { tokenFormatError: illegal } } : { illegal_tokens: illegal }
  const text = JSON.stringify({ success: legal.length, failure: illegal.length, ...list })
  return codeReply({ status: 200, code: PARTIAL_SUCCESS, text, requestId })
}

let requests = 0
/** As Huawei makes them: 24 digits that begin with the time. */
const makeId = () => `${Date.now()}${String((requests += 1)).padStart(11, '0')}`
