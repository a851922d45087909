// Messages: from a request to what is stored, and the wait for its outcome.
export { acceptMessages, type Accepted, type AcceptRequest } from './accept.ts'
export { pushMessageOf } from './compose.ts'
export { type Tallies } from './tallies.ts'
export { openWaiters, type Waiters } from './waiters.ts'
