// What imports have in common: files of lines, of which some may be bad.
import Type, { type Static } from 'typebox'
import { BooleanWord } from './schema.ts'

export const PartialQuery = Type.Object({
  partial: Type.Optional(
    BooleanWord({ description: 'Keeps the good lines of a file with bad ones.', default: false, examples: [false] }),
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
