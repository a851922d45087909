// The id of a campaign: a number in the store, digits in the API. Pure.

/** Undefined for digits that no campaign can have as its id. */
export function campaignNumber(id: string): number | undefined {
  const number = Number(id)
  return Number.isSafeInteger(number) ? number : undefined
}
