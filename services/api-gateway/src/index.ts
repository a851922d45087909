export { buildApp } from './app.ts'
export { apiGateway } from './gateway.ts'
