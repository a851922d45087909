// The product's name, and the response of the service status.
import Type, { type Static } from 'typebox'
import { Time } from './schema.ts'

/** What the product is called wherever a person reads it. What an installation is called is a setting (`applicationDisplayName`). */
export const PRODUCT_NAME = 'Push Server'

export const ServiceStatus = Type.Object(
  {
    applicationName: Type.String({ examples: ['powerauth-push'] }),
    applicationDisplayName: Type.String({ examples: ['PowerAuth Push Server'] }),
    applicationEnvironment: Type.String({ examples: [''] }),
    version: Type.String({ examples: ['0.1.0'] }),
    buildTime: Time('When the image was built; elsewhere the time of the commit, or of the newest file.'),
    timestamp: Time('When the response was made.'),
  },
  { title: 'ServiceStatus' },
)
export type ServiceStatus = Static<typeof ServiceStatus>
