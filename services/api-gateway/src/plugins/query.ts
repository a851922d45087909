// Query parameters in the forms that clients of the reference server send: Spring's spellings of yes and no, pages of any text.
import { invalidRequest } from '@push-server/contract'

const YES = new Set(['true', 'on', 'yes', '1'])
const NO = new Set(['false', 'off', 'no', '0'])

/** Undefined when it is not given; refused when it is neither yes nor no. */
export function yesOrNo(fieldName: string, value: string | undefined): boolean | undefined {
  if (value === undefined || value === '') return undefined
  const text = value.toLowerCase()
  if (YES.has(text)) return true
  if (NO.has(text)) return false
  throw invalidRequest([{ fieldName, hint: 'must be true or false' }])
}

export interface Page {
  page: number
  size: number
}

const LARGEST_PAGE = 2000
/** Beyond it an offset is no page that anybody has. */
const LAST_PAGE = 1_000_000

const wholeNumber = (value: string | undefined) =>
  value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined

/** What is no page or size is taken as the default; more than 2000 as 2000. */
export function pageOf(query: { page?: string; size?: string }, defaultSize: number): Page {
  const size = wholeNumber(query.size) ?? defaultSize
  return {
    page: Math.min(wholeNumber(query.page) ?? 0, LAST_PAGE),
    size: size < 1 ? defaultSize : Math.min(size, LARGEST_PAGE),
  }
}
