// The processes that send: started for a cell, warmed up with its services, and given one order after the other.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { bound, THIS_TREE } from '@push-server/testing'
import type { LoadOrder, LoadReport } from '../api-load-process.ts'
import type { OpenLoopOrder } from '../api-open-loop-process.ts'
import { messageFrom } from '../processes.ts'

export interface LoadProcess<Order> extends AsyncDisposable {
  /** Resolves when every request has its response. */
  run(order: Order): Promise<LoadReport>
}

export const startLoad = (): LoadProcess<LoadOrder> => start('api-load-process.ts')
export const startOpenLoop = (): LoadProcess<OpenLoopOrder> => start('api-open-loop-process.ts')

function start<Order extends object>(script: string): LoadProcess<Order> {
  const child = bound(
    spawn(process.execPath, [`bench/src/${script}`], {
      cwd: THIS_TREE.root,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  )
  const ended = once(child, 'exit')
  return {
    async run(order) {
      child.send(order)
      return messageFrom<LoadReport>(child, script)
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
