// The few schema forms that the contract's files share.
import Type, { type TOptional, type TSchema } from 'typebox'
import { PLATFORM_NAMES, PLATFORMS, type Platform, type PlatformName } from './platform.ts'

/** The member may also be given as null, which means the same as leaving it out. */
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** A 32-bit signed integer, as the reference's clients send. */
export const Integer32 = (options: { description?: string; examples?: number[] } = {}) =>
  Type.Integer({ minimum: -2_147_483_648, maximum: 2_147_483_647, ...options })

/** Query parameters of a list in pages; `size` is the default, `most` the limit. */
export const Page = ({ size, most }: { size: number; most: number }) => ({
  page: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0, description: 'Page, from 0.' })),
  size: Type.Optional(Type.Integer({ minimum: 1, maximum: most, default: size, description: 'Items of a page.' })),
})

const members = <K extends string, T extends TSchema>(names: readonly K[], schema: T) =>
  Object.fromEntries(names.map((name) => [name, schema])) as Record<K, T>

/** A member for each platform. */
export const byPlatform = <T extends TSchema>(schema: T): Record<Platform, T> => members(PLATFORMS, schema)

/** A member for each platform under both of its names, as existing clients read either. */
export const byPlatformName = <T extends TSchema>(schema: T): Record<PlatformName, T> => members(PLATFORM_NAMES, schema)

/** The same, where an answer may go without. */
export const optionally = <K extends string, T extends TSchema>(schemas: Record<K, T>) =>
  Object.fromEntries(
    Object.entries<T>(schemas).map(([name, schema]) => [name, Type.Optional(schema)]),
  ) as unknown as Record<K, TOptional<T>>
