// Numbers in network byte order, read and written without the checks of Buffer's own methods: the caller has checked the bounds.
// `as number` is needed here only, not at every index.

export const octet = (bytes: Uint8Array, at: number): number => bytes[at] as number

export const uint16 = (bytes: Uint8Array, at: number): number => (octet(bytes, at) << 8) | octet(bytes, at + 1)

export const uint24 = (bytes: Uint8Array, at: number): number => (uint16(bytes, at) << 8) | octet(bytes, at + 2)

export const uint32 = (bytes: Uint8Array, at: number): number => uint24(bytes, at) * 256 + octet(bytes, at + 3)

/** The lower 31 bits: stream ids and window increments have a reserved bit before them. */
export const uint31 = (bytes: Uint8Array, at: number): number => uint32(bytes, at) & 0x7fff_ffff

export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
