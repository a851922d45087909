// Pages of a list: how a request asks for one, and the envelope that it comes in.
import Type, { type TSchema } from 'typebox'

/** Of any list. */
export const LARGEST_PAGE = 2000

/**
 * Members of a query. As existing clients rely on it, nothing about them is refused: what is no number or too small
 * becomes the default, what is too large the most.
 */
export const pageMembers = (defaultSize: number) => ({
  page: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 2_147_483_647,
      default: 0,
      'x-clamp': true,
      description: 'Which page, counted from 0.',
      examples: [0],
    }),
  ),
  size: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: LARGEST_PAGE,
      default: defaultSize,
      'x-clamp': true,
      description: 'How many of the list make a page.',
      examples: [defaultSize],
    }),
  ),
})

export interface Page {
  page: number
  size: number
}

export const Paged = <T extends TSchema>(responseObject: T) =>
  Type.Object({
    status: Type.Literal('OK'),
    page: Type.Integer({ description: 'The page that this is.', examples: [0] }),
    size: Type.Integer({ description: 'How many of the list make a page.', examples: [20] }),
    responseObject,
  })

export const paged = <T>({ page, size }: Page, responseObject: T) => ({
  status: 'OK' as const,
  page,
  size,
  responseObject,
})
