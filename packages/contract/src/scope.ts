// What an API key may permit. Each route names the one scope that it requires.

export const SCOPES = ['device', 'message', 'message-raw', 'campaign', 'inbox', 'admin', 'queue-ui', 'metrics'] as const
export type Scope = (typeof SCOPES)[number]

/** Of a route that requires no key. */
export const PUBLIC = 'public'
