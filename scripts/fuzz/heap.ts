// Preloaded into the fuzzed server: tells its parent the heap after a forced collection, in bytes, whenever it is asked. Wants
// `--expose-gc` and an IPC channel.
process.on('message', () => {
  // What finalizers of the first collection let go is taken by the second.
  for (let turn = 0; turn < 2; turn++) globalThis.gc?.()
  process.send?.(process.memoryUsage().heapUsed)
})
process.channel?.unref()
