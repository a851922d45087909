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
  'x-words'?: true
  'x-max-units'?: number
}

/** The forms that a value has a choice of, null left out; empty where there is no choice. */
export const alternativesOf = ({ anyOf = [] }: Schema): readonly Schema[] => anyOf.filter(({ type }) => type !== 'null')

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
