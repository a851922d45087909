// Texts of a notification that the phone looks up in the application. Pure.
import { readText } from './json.ts'

/** The text itself. A localised text shows as its key and arguments, since the texts of the application are unknown here. */
export function textOf(text: unknown, key: unknown, args: unknown): string | undefined {
  const plain = readText(text)
  if (plain !== undefined || typeof key !== 'string') return plain
  return Array.isArray(args) && args.length > 0 ? `${key} (${args.join(', ')})` : key
}
