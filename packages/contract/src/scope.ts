// What an API key may be allowed to do. Each route names the one scope that it wants.

export const SCOPES = ['device', 'message', 'campaign', 'inbox', 'admin', 'queue-ui', 'metrics'] as const
export type Scope = (typeof SCOPES)[number]

/** Of a route that answers everybody, with a key or without. */
export const PUBLIC = 'public'
