// The schema builders that the contract's files share. A keyword that begins with `x-` is ours: `x-document` has keywords for the API's
// description alone, where another rule owns the refusal or where more is accepted than is recommended; `x-example` names an example
// that the description computes.
import Type, { type TOptional, type TSchema } from 'typebox'
import { PLATFORM_NAMES, PLATFORMS, type Platform, type PlatformName } from './platform.ts'

/** What a schema says to readers. */
interface Annotations {
  description?: string
  default?: unknown
  examples?: unknown[]
  'x-example'?: string
  'x-document'?: object
}

const ANNOTATIONS = ['description', 'default', 'examples', 'x-example'] as const

/**
 * The member may also be given as null, which means the same as leaving it out. What the schema says to readers stands beside the
 * alternatives, since generators of clients read it nowhere else; a schema with a name keeps its own.
 */
export function Nullable<T extends TSchema>(schema: T, own: Annotations = {}) {
  const isAnnotation = ([keyword]: [string, unknown]) => ANNOTATIONS.some((each) => each === keyword)
  const said = Object.fromEntries(Object.entries(schema).filter(isAnnotation))
  const bare = Object.fromEntries(Object.entries(schema).filter((entry) => !isAnnotation(entry)))
  return Type.Union(['title' in schema ? schema : (bare as unknown as T), Type.Null()], { ...said, ...own })
}

/** One of a few words: clients get it as one type, wherever it stands. */
export const Words = (
  title: string,
  words: readonly string[],
  said: Annotations & { 'x-case'?: 'lower'; 'x-words'?: true },
) => Type.String({ title, enum: [...words], ...said })

export const PlatformText = Words('Platform', PLATFORMS, { description: 'Platform of the device.', examples: ['ios'] })

export const PlatformNameText = Words('PlatformName', PLATFORM_NAMES, {
  'x-case': 'lower',
  description: 'Platform of the device, by either of its names.',
  examples: ['ios'],
})

const TIME = '2026-02-08T12:00:00.000+00:00'

/** A point in time in a response. */
export const Time = (description: string) => Type.String({ format: 'date-time', description, examples: [TIME] })

/** A point in time in a request: more is accepted than the description says, digits as a text, for one. */
export const TIME_IN_REQUEST = { 'x-document': { format: 'date-time' } } as const

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
  'x-example'?: string
}

/** A text of 1 to `most` UTF-16 units, as the reference counts: a character beyond the basic plane has two. */
export const UnitText = (most: number, described: Described = {}) =>
  Type.String({ minLength: 1, maxLength: most, 'x-max-units': most, ...described })

const SOMETHING = String.raw`\S`

/** A text of at most `most` characters that is more than blanks. */
export const NotBlank = (most: number, described: Described = {}) =>
  Type.String({ pattern: SOMETHING, maxLength: most, 'x-document': { minLength: 1 }, ...described })

/** Whether a schema's pattern is the one of `NotBlank`. */
export const forbidsBlank = (pattern: unknown) => pattern === SOMETHING

/** A boolean in a query: true, on, yes and 1, or false, off, no and 0. */
export const BooleanWord = (options: { default: boolean; description: string; examples: boolean[] }) =>
  Type.Boolean({ 'x-words': true, ...options })
