// What every launcher does: read the environment, open what services share, start one service, stop it in good order.
import { createLogger, readConfig, runProcess } from '@push-server/runtime'
import { openContext, type Service } from './context.ts'

export const runService = (name: string, service: Service) =>
  runProcess(async () => {
    const config = readConfig(process.env)
    const context = await openContext(config, createLogger(config, name))
    try {
      const stop = await service(context)
      return async () => {
        await stop()
        await context.close()
      }
    } catch (error) {
      await context.close()
      throw error
    }
  })
