// Parses JSON web tokens of senders. Verifying the signature is left to the caller, who knows the key. Pure.
import { parseRecord } from './json.ts'

export interface JsonWebToken {
  header: Record<string, unknown>
  claims: Record<string, unknown>
  /** What the signature is over. */
  signed: Buffer
  signature: Buffer
}

/** Undefined when the text does not have the format (RFC 7519 §3). */
export function readJsonWebToken(text: string): JsonWebToken | undefined {
  const [, head, body, signature] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(text) ?? []
  if (!head || !body || !signature) return undefined
  const header = parseRecord(decode(head).toString())
  const claims = parseRecord(decode(body).toString())
  if (!header || !claims) return undefined
  return { header, claims, signed: Buffer.from(`${head}.${body}`), signature: decode(signature) }
}

const decode = (part: string) => Buffer.from(part, 'base64url')
