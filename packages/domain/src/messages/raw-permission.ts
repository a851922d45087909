// Whether messages may have raw blocks: that is for their application to allow, and for the key of their caller. Pure.
import { forbidden, invalidRequest, rawNamesOf, type MessageBody } from '@push-server/contract'

const OFF = 'the application takes no raw blocks until an administrator switches them on'

/** Refuses raw blocks of an application that takes none. */
export function checkRawBlocks(
  bodies: readonly MessageBody[],
  { rawBlocks, fieldOf }: { rawBlocks: boolean; fieldOf(index: number, inside: string): string },
): void {
  if (rawBlocks) return
  const violations = bodies.flatMap((body, index) =>
    rawNamesOf(body).map((name) => ({ fieldName: fieldOf(index, `body.${name}`), hint: OFF })),
  )
  if (violations.length > 0) throw invalidRequest(violations)
}

/** Refuses raw blocks of a caller whose key lacks their scope; without keys nobody needs one. */
export function requireRawScope(caller: { scopes: readonly string[] } | null, bodies: readonly MessageBody[]): void {
  if (!caller || caller.scopes.includes('message-raw')) return
  if (bodies.some((body) => rawNamesOf(body).length > 0))
    throw forbidden('This API key lacks the scope message-raw, which raw blocks require')
}
