// Messages: from a request to what is stored, and the wait for its outcome.
export { acceptMessages, checkPayloads, type Accepted, type AcceptRequest } from './accept.ts'
export { composeMessage, pushMessageOf } from './compose.ts'
export { CHUNK_SIZES } from './plan.ts'
export { talliesOf, type StatusCount, type Tallies } from './tallies.ts'
export { openWaiters, type Waiters } from './waiters.ts'
