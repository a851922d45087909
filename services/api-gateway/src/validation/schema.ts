// The part of JSON Schema that our requests are made of.

export interface Schema {
  type?: string
  anyOf?: readonly Schema[]
  properties?: Readonly<Record<string, Schema>>
  items?: Schema
  pattern?: string
  minimum?: number
  maximum?: number
  default?: unknown
  'x-case'?: 'lower'
  'x-clamp'?: true
  'x-fallback'?: number
  'x-words'?: true
  'x-list'?: true
  'x-max-units'?: number
}

/** The alternatives for a value, null left out; empty when there is only one. */
export const alternativesOf = ({ anyOf = [] }: Schema): readonly Schema[] => anyOf.filter(({ type }) => type !== 'null')

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
