// Loaded before a command that run.mjs starts: ends the command, with what it has started in its process group, when run.mjs ends in whatever
// way. A pipe that run.mjs holds is closed by the system then, even after `kill -9`.
import { Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'

export const PIPE = 3
/** Holds the process id of run.mjs. Children of the command inherit it, and have another parent. */
export const PARENT = 'PUSH_SERVER_PARENT'

if (isMainThread && process.env[PARENT] === String(process.ppid)) {
  const pipe = new Socket({ fd: PIPE })
  pipe.on('error', () => pipe.destroy())
  pipe.once('close', () => process.kill(process.platform === 'win32' ? process.pid : -process.pid, 'SIGTERM'))
  pipe.resume()
  pipe.unref()
}
