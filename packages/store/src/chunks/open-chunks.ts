// Chunks that are not settled, in statements that name their chunks by id.

/**
 * The same as `c.settled_at IS NULL`, in a form that no partial index answers for. Plans are made while few chunks are open, and
 * then reading the index of all that are seems to cost less than finding some by their ids. It would be read whole by every claim
 * and record, with all entries that no vacuum has removed yet: after an outage, some hundred thousand.
 */
export const IS_OPEN = '(c.settled_at IS NULL) IS TRUE'
