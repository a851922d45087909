// Messages: accepting requests, awaiting their outcomes, and reading their status.
export { acceptMessages, checkPayloads, ignoredMembers, type Accepted, type AcceptRequest } from './accept.ts'
export { openMessageBatches, type MessageBatches } from './batches.ts'
export { openBackPressure, type BackPressure } from './back-pressure.ts'
export { composeMessage, pushMessageOf, readValidUntil } from './compose.ts'
export { findMessage, listMessages } from './status.ts'
export { talliesOf, type Tallies } from './tallies.ts'
export { openWaiters, type Waiters } from './waiters.ts'
