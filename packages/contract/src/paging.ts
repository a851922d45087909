// Pages of a list: how a request names one, and the envelope of its response.
import Type, { type TSchema } from 'typebox'
import { titleAround } from './envelope.ts'

/** Maximum size of a page of any list. */
export const LARGEST_PAGE = 2000

const LARGEST_NUMBER = 2_147_483_647

interface Clamped {
  minimum: number
  maximum: number
  /** What a value counts as that is no number or too small. */
  fallback: number
  description: string
}

/** Existing clients rely on it that no value is refused. */
const clamped = ({ fallback, description, ...bounds }: Clamped, annotations: { default?: number } = {}) =>
  Type.Optional(
    Type.Integer({
      ...bounds,
      ...annotations,
      'x-clamp': true,
      'x-fallback': fallback,
      description: `${description} Never refused: a value that is no number or below ${bounds.minimum} counts as ${fallback}, one above ${bounds.maximum} as ${bounds.maximum}.`,
      examples: [fallback],
    }),
  )

const pageNumber = { minimum: 0, maximum: LARGEST_NUMBER, fallback: 0, description: 'Number of the page, from 0.' }
const pageSize = (fallback: number) => ({
  minimum: 1,
  maximum: LARGEST_PAGE,
  fallback,
  description: 'Number of entries of a page.',
})

const sizeOf = (defaultSize: number) => clamped(pageSize(defaultSize), { default: defaultSize })

/** Members of a query. Leaving one out is the same as sending its default. */
export const pageMembers = (defaultSize: number) => ({
  page: clamped(pageNumber, { default: 0 }),
  size: sizeOf(defaultSize),
})

/** Of a list that has no pages when neither is given: neither has a default. */
export const pageMembersOnDemand = (fallbackSize: number) => ({
  page: clamped(pageNumber),
  size: clamped(pageSize(fallbackSize)),
})

/** Members of a query whose pages go on where the one before ended. `pattern`: of the key. */
export const sliceMembers = (defaultSize: number, pattern: string) => ({
  size: sizeOf(defaultSize),
  after: Type.Optional(Type.String({ pattern, description: 'The `next` of the page before.' })),
})

export interface Page {
  page: number
  size: number
}

export const Paged = <T extends TSchema>(responseObject: T) =>
  Type.Object(
    {
      status: Type.Literal('OK'),
      page: Type.Integer({ description: 'Number of this page, from 0.', examples: [0] }),
      size: Type.Integer({ description: 'Number of entries of a page.', examples: [20] }),
      responseObject,
    },
    {
      title: titleAround('Paged', responseObject),
      'x-response-description': 'The page that the request names. One that is not full, or empty, is the last.',
    },
  )

/** Has pages when the request asks for pages; otherwise the response holds everything. */
export const PerhapsPaged = <T extends TSchema>(responseObject: T) =>
  Type.Object(
    {
      status: Type.Literal('OK'),
      page: Type.Optional(Type.Integer({ description: 'Number of this page, from 0.', examples: [0] })),
      size: Type.Optional(Type.Integer({ description: 'Number of entries of a page.', examples: [20] })),
      responseObject,
    },
    {
      title: titleAround('PerhapsPaged', responseObject),
      'x-response-description': 'The page that the request names, or the whole list when it names none.',
    },
  )

export const paged = <T>({ page, size }: Page, responseObject: T) => ({
  status: 'OK' as const,
  page,
  size,
  responseObject,
})
