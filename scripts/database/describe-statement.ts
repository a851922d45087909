// What PostgreSQL says about a statement without running it: the types of its placeholders, its columns and their origin.
import type pg from 'pg'

export interface Description {
  /** Type of each placeholder, as an OID. */
  parameters: readonly number[]
  columns: readonly Column[]
}

export interface Column {
  name: string
  type: number
  /** The table and column that it is read from; 0 = it is computed. */
  table: number
  attribute: number
}

/** What the driver hands to one that takes part in its protocol; its types know less. */
interface Wire {
  parse(message: { name: string; text: string; types: number[] }): void
  describe(message: { type: 'S'; name: string }): void
  sync(): void
  once(event: 'parameterDescription', listener: (message: { dataTypeIDs: number[] }) => void): void
  removeAllListeners(event: 'parameterDescription'): void
}

interface RowDescription {
  fields: readonly { name: string; dataTypeID: number; tableID: number; columnID: number }[]
}

/** Parse, Describe, Sync. Rejects with PostgreSQL's error for a statement that it does not take. */
export function describeStatement(client: pg.Client, text: string): Promise<Description> {
  return new Promise((resolve, reject) => {
    let parameters: readonly number[] = []
    let columns: readonly Column[] = []
    const submittable = {
      submit(wire: Wire) {
        wire.once('parameterDescription', ({ dataTypeIDs }) => (parameters = dataTypeIDs))
        wire.parse({ name: '', text, types: [] })
        wire.describe({ type: 'S', name: '' })
        wire.sync()
      },
      handleRowDescription({ fields }: RowDescription) {
        columns = fields.map((field) => ({
          name: field.name,
          type: field.dataTypeID,
          table: field.tableID,
          attribute: field.columnID,
        }))
      },
      handleError(error: Error, wire: Wire) {
        wire.removeAllListeners('parameterDescription')
        reject(error)
      },
      handleReadyForQuery(wire: Wire) {
        wire.removeAllListeners('parameterDescription')
        resolve({ parameters, columns })
      },
    }
    client.query(submittable as unknown as pg.Submittable)
  })
}
