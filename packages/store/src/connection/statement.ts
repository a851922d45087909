// The statements of the store. Each is registered under its name, and described against the migrated database by
// `npm run check`, which writes its types to statement-types.ts (`npm run generate:statements`).
import type { StatementTypes } from './statement-types.ts'

/** Values in the order of the placeholders. */
export type Values = readonly unknown[]

type Name = keyof StatementTypes
type Columns<N extends Name> = StatementTypes[N]['row']
export type ValuesOf<N extends Name> = StatementTypes[N]['values']

export interface Definition {
  /** Its name as a prepared statement, unique over the whole store. */
  readonly name: string
  readonly text: string
  /** One of several texts under one name, which all have the same types: it is prepared as `<name>-<variant>`. */
  readonly variant?: string
  /** Columns that are never null though the database cannot say so, each with the reason. */
  readonly notNull?: Readonly<Partial<Record<string, string>>>
  /** Placeholders that take null; the database says nothing about it. */
  readonly nullable?: readonly number[]
  /** Placeholders of arrays whose elements may be null. */
  readonly nullableElements?: readonly number[]
  /** Temporary tables that it reads, as SQL. */
  readonly tables?: string
}

/** What a narrower type may be: of a column that is there, assignable to its type, null where that may be null. */
type Narrower<Row, Narrow> = {
  [K in keyof Narrow]: K extends keyof Row ? (null extends Row[K] ? Nullable<Row[K], Narrow[K]> : Row[K]) : never
}
type Nullable<Described, Narrow> = null extends Narrow ? Described : never
type Narrowed<Row, Narrow> = Omit<Row, keyof Narrow> & Narrow

/** A statement that PostgreSQL plans once per connection. */
class RegisteredStatement<V extends Values, Row> {
  readonly name: string
  readonly text: string
  /** Its types, for the compiler alone: nothing but `statement` makes one of these. */
  declare private readonly types: { take: (values: V) => void; row: Row }

  constructor({ name, variant, text }: Definition) {
    this.name = variant === undefined ? name : `${name}-${variant}`
    this.text = text
  }

  /** Declares what the database cannot know of columns: a union of texts, the shape of JSON. Their nulls stay. */
  narrow<Narrow extends Narrower<Row, Narrow>>(): Statement<V, Narrowed<Row, Narrow>> {
    return this as unknown as Statement<V, Narrowed<Row, Narrow>>
  }
}
export type Statement<V extends Values, Row> = RegisteredStatement<V, Row>
/** A row of the statement's result. */
export type RowOf<S> = S extends RegisteredStatement<never, infer Row> ? Row : never

interface DefinitionOf<N extends Name> extends Definition {
  readonly name: N
  readonly notNull?: Readonly<Partial<Record<keyof Columns<N> & string, string>>>
}

const registered = new Map<string, Definition>()

/** Makes a statement and registers it; throws when another one has its name. */
export function statement<N extends Name>(definition: DefinitionOf<N>): Statement<ValuesOf<N>, Columns<N>> {
  const made = new RegisteredStatement<ValuesOf<N>, Columns<N>>(definition)
  if (registered.has(made.name)) throw new Error(`Two statements are called ${made.name}`)
  registered.set(made.name, definition)
  return made
}

/** Those of all modules that are loaded, by the names they are prepared under. */
export const registeredStatements = (): ReadonlyMap<string, Definition> => registered
