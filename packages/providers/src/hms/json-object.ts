// Members of a JSON text from elsewhere, none of which can be counted on. Pure.

/** Without members when the text is no JSON object: a page of some proxy on the way, or a sentence. */
export function jsonObject(text: string): Partial<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}
