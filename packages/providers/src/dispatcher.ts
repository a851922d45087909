// Connections over HTTP/1.1, through undici: with the provider's proxy or without, certificates always verified.
import { proxyAuthorization, verifyingTls, type Http2Options } from '@push-server/http2'
import { Agent, Pool, ProxyAgent, type Dispatcher } from 'undici'

export interface DispatcherOptions extends Pick<Http2Options, 'ca' | 'proxy'> {
  /** Options of undici's agent, which is reached through the proxy or without it. */
  agent: Agent.Options
}

/** Connects with the first request. Throws for certificates that are not PEM. */
export function openDispatcher({ ca, proxy, agent }: DispatcherOptions): Dispatcher {
  const options = { ...agent, allowH2: false }
  const tls = { ...verifyingTls(ca), allowH2: false }
  if (!proxy) return new Agent({ ...options, connect: tls })
  return new ProxyAgent({
    ...options,
    uri: `http://${proxy.host}:${proxy.port}`,
    token: proxyAuthorization(proxy),
    proxyTunnel: true,
    requestTls: tls,
    // A proxy that does not respond to CONNECT would otherwise hold a connection for five minutes.
    clientFactory: (origin, poolOptions) => new Pool(origin, { ...poolOptions, headersTimeout: agent.connectTimeout }),
  })
}
