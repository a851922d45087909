// Reads JSON objects of providers, none of whose members can be relied on. Pure.

/** Without members when the text is no JSON: a page of some proxy on the way, say. */
export function jsonObject(text: string): Partial<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}
