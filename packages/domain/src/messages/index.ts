// Messages: from a request to what is stored, the wait for its outcome, and what became of it.
export { acceptMessages, checkPayloads, type Accepted, type AcceptRequest } from './accept.ts'
export { openBackPressure, type BackPressure } from './back-pressure.ts'
export { composeMessage, pushMessageOf } from './compose.ts'
export { findMessage, listMessages } from './status.ts'
export { talliesOf, type Tallies } from './tallies.ts'
export { openWaiters, type Waiters } from './waiters.ts'
