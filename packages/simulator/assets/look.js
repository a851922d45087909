// How applications and times look on every phone: names, colours, words. Pure.

const PARTS_THAT_SAY_NOTHING = new Set(['app', 'application', 'ios', 'mobile', 'android', 'client', 'com'])

/** A readable name from an identifier: com.example.mobile-bank → Mobile Bank. Huawei's are numbers: 736430079 → App 0079. */
export function appName(identifier) {
  if (/^\d+$/.test(identifier)) return `App ${identifier.slice(-4)}`
  const parts = identifier.split('.').filter(Boolean)
  const telling = parts.findLast((part) => !PARTS_THAT_SAY_NOTHING.has(part.toLowerCase())) ?? identifier
  return telling
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .split(/[-_ ]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')
}

/** A hue (0 to 359) that is always the same for the same text. */
export function hueOf(text) {
  let hash = 0
  for (const character of text) hash = (hash * 31 + character.codePointAt(0)) >>> 0
  return (hash * 137) % 360
}

/** The hue of an application: the same on every platform, whose identifiers of it differ. */
export const appHue = (identifier) => hueOf(appName(identifier))

const MINUTE = 60_000

/** As phones say it: now, 5m ago, 3h ago, then the date. */
export function ago(time, now = Date.now()) {
  const minutes = Math.floor((now - new Date(time).getTime()) / MINUTE)
  if (minutes < 1) return 'now'
  if (minutes < 60) return `${minutes}m ago`
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ago`
  return new Date(time).toLocaleDateString([], { day: 'numeric', month: 'short' })
}

/** Both ends of a token: enough to tell it from others. */
export const shortToken = (token) => (token.length > 20 ? `${token.slice(0, 10)}…${token.slice(-6)}` : token)
