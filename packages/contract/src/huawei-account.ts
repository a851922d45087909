// The request that sets the service account of an application for HMS, which pushes to HarmonyOS 5 and later.
import Type, { type Static } from 'typebox'
import { applicationMember, LARGEST_KEY, projectMember } from './application.ts'
import { HMS_CATEGORIES } from './notification-members.ts'
import { NotBlank, Nullable, Words } from './schema.ts'

/** Its credentials for version 3 of HMS stand beside those for version 2. */
export const UpdateHuaweiAccountRequest = Type.Object(
  {
    ...applicationMember,
    ...projectMember,
    privateKeyBase64: NotBlank(LARGEST_KEY, {
      description: 'The JSON file of the service account, base64; its project_id must be the project id.',
      'x-example': 'huaweiAccount',
    }),
    category: Type.Optional(
      Nullable(
        Words('HmsAccountCategory', HMS_CATEGORIES, {
          description:
            'Class of the notifications of the application on HarmonyOS 5 and later. Any class but MARKETING needs a right that Huawei grants; without it the messages count as MARKETING, of which a phone shows few a day.',
          examples: ['FINANCE'],
        }),
        { default: 'MARKETING' },
      ),
    ),
  },
  { title: 'UpdateHuaweiAccountRequest' },
)
export type UpdateHuaweiAccountRequest = Static<typeof UpdateHuaweiAccountRequest>
