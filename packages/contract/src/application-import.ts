// One line of an import of applications.
import Type, { type Static } from 'typebox'
import { ApnsEnvironmentName, applicationMember, LARGEST_KEY } from './application.ts'
import { Nullable } from './schema.ts'

const setting = (description: string, example: string) =>
  Type.Optional(Nullable(Type.String({ maxLength: 255, description, examples: [example] })))
/** In base64, which may have line breaks. */
const key = (description: string) =>
  Type.Optional(Nullable(Type.String({ maxLength: 2 * LARGEST_KEY, description, examples: ['LS0tLS1CRUdJTi=='] })))

/** One line of an import. The credentials of a platform are set where their secret is given. */
export const ImportedApplication = Type.Object(
  {
    ...applicationMember,
    apnsBundle: setting('Bundle id of the application.', 'some.bundle.id'),
    apnsKeyId: setting('Id of the signing key.', 'KEYID12345'),
    apnsTeamId: setting('Id of the developer team.', 'TEAMID1234'),
    apnsEnvironment: Type.Optional(Nullable(ApnsEnvironmentName)),
    apnsPrivateKeyBase64: key('The .p8 file, base64.'),
    fcmProjectId: setting('Id of the Firebase project.', 'PROJECTID123'),
    fcmPrivateKeyBase64: key('The JSON file of the Google service account, base64.'),
    hmsProjectId: setting('Id of the HMS project.', 'HMS123'),
    hmsClientId: setting('OAuth 2.0 client id.', '100000001'),
    hmsClientSecret: setting('OAuth 2.0 client secret.', '0123456789abcdef'),
  },
  { title: 'ImportedApplication' },
)
export type ImportedApplication = Static<typeof ImportedApplication>
