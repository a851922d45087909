// Text from outside as it may stand in a log or on a terminal. What would begin a line, move the cursor or reverse the
// direction of reading stands there as an escape. Pure.

/** Control characters (a terminal also takes U+009B for ESC [), Unicode's line separators, and its marks of direction. */
const CONTROL = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u
const CONTROLS = new RegExp(CONTROL, 'gu')
const SHORT: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\r': String.raw`\r`, '\t': String.raw`\t` }

const escape = (character: string) =>
  SHORT[character] ?? String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** On one line. */
export const printable = (text: string): string => (CONTROL.test(text) ? text.replaceAll(CONTROLS, escape) : text)

/** A text of our own that has several lines; what came from outside is made printable before it gets into it. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

const DEEPEST_CAUSE = 5

/** The error and its causes with their stacks: a line break stands before each frame and each cause, and nowhere else. */
export function printableStack(error: Error, depth = 0): string {
  const { name, message, stack = '', cause } = error
  const start = stack.indexOf(message)
  const frames = stack
    .slice(start === -1 ? 0 : start + message.length)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
  const own = [printable(`${name}: ${message}`), ...frames.map(printable)].join('\n')
  if (!(cause instanceof Error) || depth >= DEEPEST_CAUSE) return own
  return `${own}\ncaused by: ${printableStack(cause, depth + 1)}`
}
