// Whether messages may have raw blocks: that is for their application to allow, and for the key of their caller. Pure.
import { forbidden, hasRawBlock, invalidRequest, rawNamesOf, type MessageBody } from '@push-server/contract'

const OFF = 'the application takes no raw blocks until an administrator switches them on'

/** Refuses raw blocks of an application that takes none. */
export function checkRawBlocks(
  messages: readonly { body: MessageBody }[],
  { rawBlocks, fieldOf }: { rawBlocks: boolean; fieldOf(index: number, inside: string): string },
): void {
  if (rawBlocks || !messages.some(({ body }) => hasRawBlock(body))) return
  const violations = messages.flatMap(({ body }, index) =>
    rawNamesOf(body).map((name) => ({ fieldName: fieldOf(index, `body.${name}`), hint: OFF })),
  )
  throw invalidRequest(violations)
}

/** Refuses raw blocks of a caller whose key lacks their scope; without keys nobody needs one. */
export function requireRawScope(
  caller: { scopes: readonly string[] } | null,
  messages: readonly { body: MessageBody }[],
): void {
  if (!caller || !messages.some(({ body }) => hasRawBlock(body))) return
  if (!caller.scopes.includes('message-raw'))
    throw forbidden('This API key lacks the scope message-raw, which raw blocks require')
}
