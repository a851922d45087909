// A batch as the arrays that its statement takes. Pure. A request is named by its place in the batch.
import type { NewChunk, NewKeyedRequest, NewRequest } from './batch.ts'

export const columnOf = <T, K extends keyof T>(rows: readonly T[], key: K) => rows.map((row) => row[key])

/** The content of a message without recipients is not kept. */
export function messageColumns(requests: readonly NewRequest[]) {
  const pushed = new Set(
    requests.flatMap(({ deliveries }) =>
      deliveries.flatMap(({ chunk, messageId }) => (chunk === null ? [] : messageId)),
    ),
  )
  const rows = requests.flatMap(({ applicationId, messages }, request) =>
    messages.map((message) => ({ request, applicationId, ...message })),
  )
  return [
    columnOf(rows, 'request'),
    columnOf(rows, 'applicationId'),
    columnOf(rows, 'id'),
    columnOf(rows, 'userId'),
    columnOf(rows, 'activationId'),
    columnOf(rows, 'priority'),
    columnOf(rows, 'silent'),
    columnOf(rows, 'personal'),
    rows.map(({ id, body }) => (pushed.has(id) ? JSON.stringify(body) : null)),
    rows.map(({ validUntil }) => (validUntil === null ? null : new Date(validUntil))),
    // An array of arrays has to be of one length: so the platforms of each message are one text.
    rows.map(({ platforms }) => (platforms ? `{${platforms.join()}}` : null)),
  ] as const
}

export function deliveryColumns(requests: readonly NewRequest[]) {
  const rows = requests.flatMap(({ deliveries }, request) => deliveries.map((delivery) => ({ request, ...delivery })))
  const recipients = columnOf(rows, 'recipient')
  return [
    columnOf(rows, 'request'),
    columnOf(rows, 'messageId'),
    rows.map(({ chunk }) => chunk?.seed ?? null),
    rows.map(({ chunk }) => chunk?.position ?? null),
    columnOf(recipients, 'deviceId'),
    columnOf(recipients, 'activationId'),
    columnOf(recipients, 'platform'),
    columnOf(recipients, 'environment'),
    columnOf(recipients, 'token'),
    columnOf(rows, 'status'),
    columnOf(rows, 'reason'),
  ] as const
}

export const chunkColumns = (chunks: readonly NewChunk[]) =>
  [
    columnOf(chunks, 'seed'),
    columnOf(chunks, 'applicationId'),
    columnOf(chunks, 'platform'),
    columnOf(chunks, 'waiter'),
    chunks.map(({ sendAt }) => (sendAt === null ? null : new Date(sendAt))),
  ] as const

export const requestColumns = (requests: readonly NewRequest[]) =>
  [
    requests.map((_, place) => place),
    columnOf(requests, 'applicationId'),
    requests.map(({ correlationId = null }) => correlationId),
    // Most batches are without: a column that is shorter ends with nulls.
    requests.some(({ traceContext }) => traceContext !== undefined)
      ? requests.map(({ traceContext = null }) => traceContext)
      : [],
  ] as const

/** An array of arrays has to be of one length: so the ids of each request are one text. */
export const keyColumns = (requests: readonly NewKeyedRequest[]) =>
  [
    requests.map(({ key }) => key.key),
    requests.map(({ key }) => key.digest),
    requests.map(({ messages }) => `{${columnOf(messages, 'id').join()}}`),
    requests[0]?.key.ageMs ?? 0,
  ] as const
