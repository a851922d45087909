// The platforms we deliver to, and every name a client may call them by.

/** The names in the database and in responses. Responses with a member for each platform follow this order. */
export const PLATFORMS = ['ios', 'android', 'huawei'] as const
export type Platform = (typeof PLATFORMS)[number]

/** The provider's name of each platform, which newer clients of the API use for it. */
export const PROVIDER_NAMES = { ios: 'apns', android: 'fcm', huawei: 'hms' } as const satisfies Record<Platform, string>
export type ProviderName = (typeof PROVIDER_NAMES)[Platform]

/** Every name accepted in a request, lower case. */
export const PLATFORM_NAMES = [...PLATFORMS, ...Object.values(PROVIDER_NAMES)] as const
export type PlatformName = (typeof PLATFORM_NAMES)[number]

/** A name as it stands inside the names of members and operations: `includeIos`, `updateApns`. */
export const capitalized = <Name extends string>(name: Name) =>
  `${name.charAt(0).toUpperCase()}${name.slice(1)}` as Capitalize<Name>

const BY_NAME = new Map<string, Platform>(
  PLATFORMS.flatMap((platform) => [
    [platform, platform],
    [PROVIDER_NAMES[platform], platform],
  ]),
)

/** The platform behind either of its names, in any case; undefined for any other text. */
export function platformOf(name: string): Platform | undefined {
  return BY_NAME.get(name.toLowerCase())
}

/** The platforms behind such names, each once; null for none, which means all. */
export const platformsOf = (names: readonly string[] | null | undefined): Platform[] | null =>
  names ? PLATFORMS.filter((platform) => names.some((name) => platformOf(name) === platform)) : null
