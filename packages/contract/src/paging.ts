// Pages of a list: how a request names one, and the envelope of its response.
import Type, { type TSchema } from 'typebox'

/** Maximum size of a page of any list. */
export const LARGEST_PAGE = 2000

const sizeOf = (defaultSize: number) =>
  Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: LARGEST_PAGE,
      default: defaultSize,
      'x-clamp': true,
      description: 'Number of entries of a page.',
      examples: [defaultSize],
    }),
  )

/**
 * Members of a query. Existing clients rely on it that no value is refused: a value that is no number or too small becomes the
 * default, one that is too large becomes the maximum.
 */
export const pageMembers = (defaultSize: number) => ({
  page: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 2_147_483_647,
      default: 0,
      'x-clamp': true,
      description: 'Number of the page, from 0.',
      examples: [0],
    }),
  ),
  size: sizeOf(defaultSize),
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
  Type.Object({
    status: Type.Literal('OK'),
    page: Type.Integer({ description: 'Number of this page, from 0.', examples: [0] }),
    size: Type.Integer({ description: 'Number of entries of a page.', examples: [20] }),
    responseObject,
  })

export const paged = <T>({ page, size }: Page, responseObject: T) => ({
  status: 'OK' as const,
  page,
  size,
  responseObject,
})
