// What there is of OpenAPI in the description as it is collected. Pure.
import type { Schema } from './schema.ts'

export interface Media {
  schema?: Schema
  example?: unknown
}
type Content = Record<string, Media>

export interface Parameter {
  name: string
  description?: string
  required?: boolean
  example?: unknown
  examples?: unknown
  schema?: Schema
}

export interface Response {
  description?: string
  headers?: object
  content?: Content
}

export interface Operation {
  operationId?: string
  /** Empty where no key is required. */
  security?: object[]
  parameters?: Parameter[]
  requestBody?: { content: Content }
  responses?: Record<string, Response>
}

export type Paths = Record<string, Record<string, Operation>>

export const operationsOf = (paths: Paths): Operation[] => Object.values(paths).flatMap((item) => Object.values(item))

/** Whatever has a schema. */
export const holdersOf = ({ parameters = [], requestBody, responses = {} }: Operation): { schema?: Schema }[] => [
  ...parameters,
  ...Object.values(requestBody?.content ?? {}),
  ...Object.values(responses).flatMap(({ content = {} }) => Object.values(content)),
]
