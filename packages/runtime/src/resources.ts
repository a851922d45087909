// Everything that was opened, in the order of its opening; it is closed in reverse.

export type Close = () => Promise<void> | void

export interface Resources {
  /** Remembers how to close what was just opened. */
  add(name: string, close: Close): void
  /** Closes all, newest first; each is closed whatever the others do, and the first error is thrown at the end. May be called twice. */
  close(): Promise<void>
}

export function createResources(onFailure: (name: string, error: unknown) => void): Resources {
  const open: { name: string; close: Close }[] = []
  let closing: Promise<void> = Promise.resolve()

  async function closeAll(): Promise<void> {
    const failures: unknown[] = []
    for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
      try {
        await entry.close()
      } catch (error) {
        onFailure(entry.name, error)
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  return {
    add: (name, close) => void open.push({ name, close }),
    close() {
      // One after the other: a second call must not overtake the first within the order. Each error is thrown once.
      closing = closing.then(closeAll, closeAll)
      return closing
    },
  }
}
