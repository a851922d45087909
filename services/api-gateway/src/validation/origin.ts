// Whether a request may come from the page that sent it. Pure.

/** Of a browser's request, as far as the browser says it: https://www.w3.org/TR/fetch-metadata/ */
export interface Sender {
  /** The header Sec-Fetch-Site. */
  site: string | undefined
  /** The header Origin. */
  origin: string | undefined
  /** The host that the request is for: its Host, or X-Forwarded-Host of a proxy that is trusted. */
  host: string
}

/** `none`: somebody typed the address or opened a bookmark. Siblings (`same-site`) are others' pages as much as any. */
const OWN_SITES: readonly string[] = ['same-origin', 'none']

/** Programs send neither header, and pass. `origins` replaces the request's own host. */
export function isOwnPage({ site, origin, host }: Sender, origins: readonly string[] | undefined): boolean {
  if (site !== undefined && !OWN_SITES.includes(site)) return false
  return origin === undefined || isOneOf(origin, origins ?? [`http://${host}`, `https://${host}`])
}

function isOneOf(origin: string, origins: readonly string[]): boolean {
  const given = normalized(origin)
  return given !== undefined && origins.some((each) => normalized(each) === given)
}

/** Lower case and without the scheme's own port; undefined of anything but scheme, host and port, such as `null`. */
function normalized(origin: string): string | undefined {
  return /^https?:\/\/[^/?#@\\\s]+$/i.test(origin) ? URL.parse(origin)?.origin : undefined
}

/** A browser keeps these credentials and sends them unasked. */
export const isBasic = (authorization: string | undefined): boolean => /^basic\b/i.test(authorization ?? '')
