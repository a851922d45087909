// Reading JSON from senders, who may write anything. Pure.

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Undefined when the text is not a JSON object. */
export function parseRecord(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** A text that is not empty; undefined for anything else. */
export const readText = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

export const readNumber = (value: unknown) => (typeof value === 'number' ? value : undefined)
