// Who may call: API keys and what they allow.
export { CHALLENGES, openAccess, type Access, type AccessOptions, type Admission, type Caller } from './access.ts'
export { checkStartup } from './startup-check.ts'
export { openHostCheck } from './host-check.ts'
export { createProbeAccess } from './probe-access.ts'
export { createApiKey, type KeyRequest } from './keys.ts'
