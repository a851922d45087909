// Launches the API gateway.
import { runService } from '@push-server/domain'
import { apiGateway } from './gateway.ts'

await runService('api-gateway', apiGateway, { hasApi: true })
