// What imports have in common: files of lines, of which some may be bad.
import Type, { type Static } from 'typebox'
import { BooleanWord } from './schema.ts'

export const ImportQuery = Type.Object({
  partial: Type.Optional(
    BooleanWord({ description: 'Keeps the good lines of a file with bad ones.', default: false, examples: [false] }),
  ),
  dryRun: Type.Optional(
    BooleanWord({
      description: 'Changes nothing: the response counts what the same call without it would do.',
      default: false,
      examples: [false],
    }),
  ),
})

export const LineError = Type.Object(
  {
    line: Type.Integer({ description: 'Number of the line, from 1.', examples: [17] }),
    fieldName: Type.String({ examples: ['token'] }),
    hint: Type.String({ examples: ['must be hexadecimal on ios'] }),
  },
  { title: 'LineError' },
)
export type LineError = Static<typeof LineError>

export const ImportResult = Type.Object(
  {
    imported: Type.Integer({ description: 'Number of lines about something new, which was added.' }),
    updated: Type.Integer({ description: 'Number of lines that changed something known.' }),
    kept: Type.Integer({
      description: 'Number of lines about something that was left unchanged: it was the same, or is of a later time.',
    }),
    failed: Type.Integer({ description: 'Number of bad lines.' }),
    errors: Type.Array(LineError, { description: 'The first 100 bad lines.' }),
  },
  { title: 'ImportResult' },
)
export type ImportResult = Static<typeof ImportResult>
