// Everything that was opened, in the order of its opening; it is released in reverse.

export type Release = () => Promise<void> | void

export interface Resources {
  /** Remembers how to release what was just opened. */
  add(name: string, release: Release): void
  /** Releases all, newest first; each is released whatever the others do, and the first error is thrown at the end. May be called twice. */
  release(): Promise<void>
}

export function createResources(onFailure: (name: string, error: unknown) => void): Resources {
  const held: { name: string; release: Release }[] = []
  let releasing: Promise<void> = Promise.resolve()

  async function releaseHeld(): Promise<void> {
    const failures: unknown[] = []
    for (let entry = held.pop(); entry !== undefined; entry = held.pop()) {
      try {
        await entry.release()
      } catch (error) {
        onFailure(entry.name, error)
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  return {
    add: (name, release) => void held.push({ name, release }),
    release() {
      // One after the other: a second call must not overtake the first within the order. Each error is thrown once.
      releasing = releasing.then(releaseHeld, releaseHeld)
      return releasing
    },
  }
}
