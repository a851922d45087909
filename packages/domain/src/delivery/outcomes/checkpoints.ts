// When the outcomes of a claim are written before its end: every quarter of a second, and where a gateway waits for them as soon as
// the write before has ended.

/** When a worker dies, the outcomes of at most this time are lost beside those of the pushes in flight. */
export const CHECKPOINT_MS = 250

export interface Checkpoints {
  /** There is an outcome that somebody may wait for. */
  hurry(): void
  /** Resolves once nothing is being written any more, and nothing will be. */
  end(): Promise<void>
}

export interface CheckpointsOptions {
  isAwaited: boolean
  hasNews(): boolean
  /** False: it failed, and is left to the next checkpoint. Never rejects. */
  write(): Promise<boolean>
}

export function startCheckpoints({ isAwaited, hasNews, write }: CheckpointsOptions): Checkpoints {
  let writing: Promise<void> | undefined
  let soon: NodeJS.Immediate | undefined
  let ended = false

  function checkpoint(): void {
    soon = undefined
    if (writing || !hasNews()) return
    writing = writeOnce()
  }

  async function writeOnce(): Promise<void> {
    const isWritten = await write()
    writing = undefined
    if (isWritten && hasNews()) hurry()
  }

  /** Outcomes that arrive together are written together. */
  function hurry(): void {
    if (isAwaited && !writing && !ended) soon ??= setImmediate(checkpoint)
  }

  const timer = setInterval(checkpoint, CHECKPOINT_MS)
  return {
    hurry,
    async end() {
      ended = true
      clearInterval(timer)
      clearImmediate(soon)
      await writing
    },
  }
}
