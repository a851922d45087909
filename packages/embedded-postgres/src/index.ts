// A real PostgreSQL without setting one up: for `npm start` and for tests. The programs come from the npm registry.
export { startPostgres } from './start.ts'
export type { EmbeddedPostgres, EmbeddedPostgresOptions } from './start.ts'
