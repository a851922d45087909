// What the fakes of FCM and HMS respond on: the path of their pushes, which names a project, and that of the OAuth endpoint.
import type { BehaviourControl } from './behaviour-settings.ts'
import { gatewayReply, type Exchange, type Reply } from './wire/http-exchange.ts'

export interface OAuthRoutes {
  /** Its first group is the project. */
  sendPath: RegExp
  tokenPath: string
  /** Issues an access token. */
  grant(parameters: URLSearchParams): Reply
  send(exchange: Exchange, projectId: string): void
  control: Pick<BehaviourControl, 'delay'>
}

export const oauthRoutes =
  ({ sendPath, tokenPath, grant, send, control }: OAuthRoutes) =>
  (exchange: Exchange): void => {
    const { method, path, body } = exchange
    const [, projectId] = sendPath.exec(path) ?? []
    if (method === 'POST' && projectId) return send(exchange, projectId)
    const isGrant = method === 'POST' && path === tokenPath
    const reply = isGrant ? grant(new URLSearchParams(body.bytes.toString())) : gatewayReply(404)
    control.delay(() => exchange.reply(reply))
  }
