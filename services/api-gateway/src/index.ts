// The API gateway as a value.
export { buildApp } from './app.ts'
export { apiGateway } from './gateway.ts'
