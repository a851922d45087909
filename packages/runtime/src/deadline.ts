// A bounded wait: the work itself goes on, and nobody waits for it any longer.

/** Ends as `work` does, or as `onLate` does when `ms` pass first: with its value or its error. Leaves no timer behind. */
export async function withDeadline<T, L>(work: Promise<T>, ms: number, onLate: () => L): Promise<T | L> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, ms)
  try {
    return await Promise.race([work, late.promise.then(onLate)])
  } finally {
    clearTimeout(timer)
  }
}
