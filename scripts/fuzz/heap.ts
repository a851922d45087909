// Preloaded into the fuzzed server: reports the heap after a forced collection, in bytes, on each message of its parent. Requires
// `--expose-gc` and an IPC channel.
process.on('message', () => {
  // What finalizers of the first collection let go is taken by the second.
  for (let run = 0; run < 2; run++) globalThis.gc?.()
  process.send?.(process.memoryUsage().heapUsed)
})
process.channel?.unref()
