// A process of its own that starts PostgreSQL in the folder it is given, reports how, and stops it when told to.
import { startPostgres } from '../src/index.ts'

const postgres = await startPostgres({ dir: process.argv[2] ?? '' })
process.send?.({ url: postgres.url, adopted: postgres.adopted })
process.once('message', () => {
  void postgres.stop().then(() => process.disconnect())
})
