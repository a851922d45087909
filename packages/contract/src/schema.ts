// The schema builders that the contract's files share.
import Type, { type TOptional, type TSchema } from 'typebox'
import { PLATFORM_NAMES, PLATFORMS, type Platform, type PlatformName } from './platform.ts'

/** The member may also be given as null, which means the same as leaving it out. */
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** A 32-bit signed integer, as the reference's clients send. */
export const Integer32 = (options: { description?: string; examples?: number[] } = {}) =>
  Type.Integer({ minimum: -2_147_483_648, maximum: 2_147_483_647, ...options })

const members = <K extends string, T extends TSchema>(names: readonly K[], schema: T) =>
  Object.fromEntries(names.map((name) => [name, schema])) as Record<K, T>

/** A member for each platform. */
export const byPlatform = <T extends TSchema>(schema: T): Record<Platform, T> => members(PLATFORMS, schema)

/** A member for each platform under both of its names, as existing clients read either. */
export const byPlatformName = <T extends TSchema>(schema: T): Record<PlatformName, T> => members(PLATFORM_NAMES, schema)

/** The same schemas as optional members. */
export const optionally = <K extends string, T extends TSchema>(schemas: Record<K, T>) =>
  Object.fromEntries(
    Object.entries<T>(schemas).map(([name, schema]) => [name, Type.Optional(schema)]),
  ) as unknown as Record<K, TOptional<T>>

interface Described {
  description?: string
  examples?: string[]
}

/** A text of 1 to `most` UTF-16 units, as the reference counts: a character beyond the basic plane has two. */
export const UnitText = (most: number, described: Described = {}) =>
  Type.String({ minLength: 1, maxLength: most, 'x-max-units': most, ...described })

const SOMETHING = String.raw`\S`

/** A text of at most `most` characters that is more than blanks. */
export const NotBlank = (most: number, described: Described = {}) =>
  Type.String({ pattern: SOMETHING, maxLength: most, ...described })

/** Whether a schema's pattern is the one of `NotBlank`. */
export const forbidsBlank = (pattern: unknown) => pattern === SOMETHING

/** A boolean in a query: true, on, yes and 1, or false, off, no and 0. */
export const BooleanWord = (options: { default: boolean; description: string; examples: boolean[] }) =>
  Type.Boolean({ 'x-words': true, ...options })
