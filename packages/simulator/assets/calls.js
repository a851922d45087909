// What the page asks of the server, beside reading.

/** The phone is told to be empty by an event, like everything else. */
export const clearPhone = (token) => fetch(`/phones/${encodeURIComponent(token)}/notifications`, { method: 'DELETE' })
