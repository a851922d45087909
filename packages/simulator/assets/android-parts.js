// What the phones with Android at heart have in common: cards that expand, bundles, facts about a notification.
import { showDetails } from './details.js'
import { element, symbol } from './dom.js'
import { ago, appHue, appName } from './look.js'

export const WIFI = 'M12 20.500L1 7.800a16.500 16.500 0 0 1 22 0z'
export const CELLULAR = 'M22 3v18H3z'
export const BATTERY = 'M9.500 2h5v2H16a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1h1.500z'
const CHEVRON = 'M12 15.700L5.300 9l1.500-1.500L12 12.700l5.200-5.200L18.700 9z'
const BOLT = 'M10.500 22l1.200-8H7.500L13.500 2l-1.200 8h4.200z'
const DATA_MESSAGE = 'Data message'

/** Of one application, more than these become a bundle. */
const BUNDLE_OVER = 3

/** Notifications by how loud they are; those of one application bundled when there are many. Newest first. */
export function arrange(notifications) {
  const shown = notifications.filter(({ silent }) => !silent)
  return {
    loud: bundle(shown.filter(({ priority }) => priority !== 'low')),
    quiet: shown.filter(({ priority }) => priority === 'low'),
  }
}

function bundle(notifications) {
  const groups = new Map()
  for (const notification of notifications) {
    const key = JSON.stringify([notification.app, notification.thread])
    groups.set(key, [...(groups.get(key) ?? []), notification])
  }
  return [...groups].flatMap(([key, members]) =>
    members.length > BUNDLE_OVER
      ? [{ key, members }]
      : members.map((member) => ({ key: member.id, members: [member] })),
  )
}

export function drawIcon(app, badge) {
  return element(
    'span',
    { class: 'app-icon', '--hue': appHue(app) },
    appName(app).charAt(0),
    badge > 0 ? element('span', { class: 'badge' }, badge > 99 ? '99+' : String(badge)) : undefined,
  )
}

/** `count` stands on the button when more than one notification is behind it. */
export function drawExpander({ open, count, onclick }) {
  return element(
    'button',
    {
      class: 'expander',
      type: 'button',
      'aria-expanded': String(open),
      'aria-label': open ? 'Fold' : 'Unfold',
      onclick,
    },
    count > 1 ? element('span', {}, count) : undefined,
    symbol('chevron', CHEVRON),
  )
}

export const drawTime = ({ receivedAt }) => element('time', { datetime: receivedAt }, ago(receivedAt))

export const drawUpdated = ({ replaces }) =>
  replaces === undefined ? undefined : element('span', { class: 'updated' }, 'updated')

/** What an open card tells beside its texts. */
export function drawFacts({ channel, priority, link }) {
  const facts = [
    channel && `Channel ${channel}`,
    priority !== 'normal' && `${priority} priority`,
    link && `Opens ${link}`,
  ].filter(Boolean)
  return facts.length > 0
    ? element('span', { class: 'facts' }, ...facts.map((fact) => element('span', {}, fact)))
    : undefined
}

/** Data messages show nothing, only the application gets them: a note, which stands first while it is the news. */
export function addDataNote(parts, notifications) {
  const [first, ...others] = notifications.filter(({ silent }) => silent)
  if (!first) return parts
  const what = others.length > 0 ? `${others.length + 1} data messages` : DATA_MESSAGE
  const note = element(
    'button',
    { class: first.fresh ? 'silent fresh' : 'silent', type: 'button', onclick: () => showAll(first) },
    symbol('bolt', BOLT),
    element('span', {}, `${what} · ${appName(first.app)} · ${ago(first.receivedAt)}`),
  )
  return first === notifications[0] ? [note, ...parts] : [...parts, note]
}

export const showAll = (notification) => showDetails(notification, DATA_MESSAGE)
