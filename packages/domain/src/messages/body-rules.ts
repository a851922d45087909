// What a body must not say whatever the provider, beyond what its schema says of each member by itself. Pure.
import { instantOf, type MessageBody } from '@push-server/contract'
import { rawBlockProblems, type PayloadProblem } from '@push-server/providers'

/** A scheme that is no application's: a phone would not open it, or open something else than a page. */
const NO_LINK = /^(?:http|javascript|data|file|blob|about|vbscript):/

/** Members that iOS and Android get among the extras. */
const BESIDE_EXTRAS = ['image', 'link'] as const

const hasText = ({ title, titleLocKey, subtitle, subtitleLocKey, body, bodyLocKey }: MessageBody) =>
  [title, titleLocKey, subtitle, subtitleLocKey, body, bodyLocKey].some(Boolean)

/** For bodies with members that are not for every platform. */
export function bodyViolations(body: MessageBody, silent: boolean): PayloadProblem[] {
  const problems = rawBlockProblems(body)
  const refuse = (name: string, hint: string) => problems.push({ field: `body.${name}`, hint })
  const { link, eventTime, extras, mutableContent } = body
  if (link && NO_LINK.test(link)) refuse('link', 'must be an https address, or an address of the mobile application')
  if (eventTime !== null && eventTime !== undefined && eventTime !== '' && !isTime(eventTime))
    refuse('eventTime', 'must be an ISO 8601 time with offset, or seconds (not milliseconds) since the epoch')
  for (const name of BESIDE_EXTRAS)
    if (body[name] && Object.hasOwn(extras ?? {}, name))
      refuse('extras', `extras must not have a member named "${name}" beside body.${name}: it stands there`)
  if (mutableContent && silent) refuse('mutableContent', 'must not be true in a silent message: nothing is shown')
  if (mutableContent && body.dataOnly) refuse('mutableContent', 'must not be true together with dataOnly')
  if (mutableContent && !silent && !hasText(body)) refuse('mutableContent', 'must not be true without a text to show')
  return problems
}

/** Years of four digits, as providers write them. */
function isTime(value: string | number): boolean {
  const instant = instantOf(value)
  return instant !== undefined && instant >= 0 && instant < LATEST
}

const LATEST = Date.UTC(10_000, 0)
