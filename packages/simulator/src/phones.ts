// The phones: they show the accepted pushes as a person would see them. Bounded, so that load does not fill the memory.
import type { Platform } from '@push-server/contract'

export interface Notification {
  /** The provider's id of the push. */
  id: string
  receivedAt: Date
  /** Identifier of the application it is for: the bundle of iOS, elsewhere the provider's project. */
  app: string
  title: string | undefined
  body: string | undefined
  /** Number on the application icon; 0 clears it. */
  badge: number | undefined
  sound: string | undefined
  /** Nothing is shown; the application is woken up. */
  silent: boolean
  collapseKey: string | undefined
  /** Android and Huawei: the name under which the application may replace this notification by another. */
  tag: string | undefined
  /** Android and Huawei: the channel, which has its own settings on the phone. */
  channel: string | undefined
  /** Notifications of one application and thread are shown as a group. */
  thread: string | undefined
  /** Members that are left out where the push has none. */
  subtitle?: string
  /** Address of a picture. */
  image?: string
  /** What a tap opens. */
  link?: string
  /** iOS: how much it may interrupt, other than usual; a critical alert sounds when the phone is muted, too. */
  level?: 'passive' | 'time-sensitive' | 'critical'
  priority: 'high' | 'normal' | 'low'
  payload: Readonly<Record<string, unknown>>
  /** Id of the earlier notification that this one replaced: on iOS of the same collapse key, elsewhere of the same tag. */
  replaces: string | undefined
}

export interface Phone {
  readonly platform: Platform
  readonly token: string
  readonly name: string
  /** Newest first. */
  readonly notifications: readonly Notification[]
}

/** Beyond this many, phones that come with their first push are not kept; their pushes are only counted. */
export const PHONES_KEPT = 100
export const NOTIFICATIONS_KEPT = 50

const NAMES: Record<Platform, string> = { ios: 'iPhone', android: 'Android phone', huawei: 'Huawei phone' }

interface KeptPhone extends Phone {
  notifications: readonly Notification[]
}

export function createPhones() {
  const phones = new Map<string, KeptPhone>()

  function add({ platform, token, name }: { platform: Platform; token: string; name?: string | undefined }): Phone {
    const ofPlatform = [...phones.values()].filter((phone) => phone.platform === platform).length
    const phone: KeptPhone = {
      platform,
      token,
      name: name ?? `${NAMES[platform]} ${ofPlatform + 1}`,
      notifications: phones.get(token)?.notifications ?? [],
    }
    phones.set(token, phone)
    return phone
  }

  return {
    /** Adds a phone, or gives the one with this token another name. */
    add,
    list: (): Phone[] => [...phones.values()],
    find: (token: string): Phone | undefined => phones.get(token),
    clear(token: string): Phone | undefined {
      const phone = phones.get(token)
      if (phone) phone.notifications = []
      return phone
    },
    /** Shows a notification; undefined when this phone is beyond those that are kept, `compose` is then not called. */
    show(platform: Platform, token: string, compose: () => Notification) {
      if (!phones.has(token)) {
        if (phones.size >= PHONES_KEPT) return undefined
        add({ platform, token })
      }
      const phone = phones.get(token)
      return phone && { phone, notification: put(phone, compose()) }
    },
  }
}

function put(phone: KeptPhone, notification: Notification): Notification {
  const key = replaceKey(phone, notification)
  const replaced =
    key !== undefined &&
    phone.notifications.find((earlier) => replaceKey(phone, earlier) === key && earlier.app === notification.app)
  const shown = replaced ? { ...notification, replaces: replaced.id } : notification
  const others = phone.notifications.filter((earlier) => earlier !== replaced)
  phone.notifications = [shown, ...others].slice(0, NOTIFICATIONS_KEPT)
  return shown
}

/** A collapse key outside iOS concerns only pushes that wait for an unreachable phone; these phones are always reachable. */
const replaceKey = ({ platform }: Phone, { collapseKey, tag }: Notification) => (platform === 'ios' ? collapseKey : tag)
