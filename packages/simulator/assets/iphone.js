// An iPhone: its lock screen with the notifications as iOS groups them.
import { showDetails } from './details.js'
import { element, symbol, textElement } from './dom.js'
import { createLockScreen } from './lock-screen.js'
import { ago, appHue, appName, hueOf } from './look.js'
import { drawPicture } from './picture.js'

const CELLULAR = 'M0 8h3v4H0zM5 5.500h3V12H5zM10 3h3v9h-3zM15 0h3v12h-3z'
const WIFI =
  'M8.500 12L6 9.300a3.600 3.600 0 0 1 5 0zM4 7.100a6.500 6.500 0 0 1 9 0l1.500-1.600a8.700 8.700 0 0 0-12 0zM.500 3.400a11.500 11.500 0 0 1 16 0L15.400 4.600a9.900 9.900 0 0 0-13.800 0z'
const BATTERY =
  'M3 0h18a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3zM3 1a2 2 0 0 0-2 2v6a2 2 0 0 0 2 2h18a2 2 0 0 0 2-2V3a2 2 0 0 0-2-2zM3.500 2h13a1.500 1.500 0 0 1 1.500 1.500v5a1.500 1.500 0 0 1-1.500 1.500h-13A1.500 1.500 0 0 1 2 8.500v-5A1.500 1.500 0 0 1 3.500 2zM25 4c1.600.500 1.600 3.500 0 4z'
const TORCH =
  'M8 3h8v3H8zM8 7h8l-2 3.500V20a1 1 0 0 1-1 1h-2a1 1 0 0 1-1-1v-9.500zM12 11.500a1.200 1.200 0 1 0 0 2.400a1.200 1.200 0 0 0 0-2.400z'
const CAMERA =
  'M5 7h2.500L9 5h6l1.500 2H19a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zM12 9a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM12 10.500a2.500 2.500 0 1 1 0 5a2.500 2.500 0 0 1 0-5z'
const MOON = 'M14 3a9 9 0 1 0 7 12.500A8 8 0 0 1 14 3z'

/** Returns the element and how to draw another state of the same phone into it. */
export function createIphone(phone) {
  const { day, clock, list, update } = createLockScreen({
    writeDay: (now) => now.toLocaleDateString([], { weekday: 'long', month: 'long', day: 'numeric' }),
    drawList: (notifications, opening) => groupNotifications(notifications).map((group) => drawGroup(group, opening)),
  })
  const frame = element(
    'div',
    { class: 'iphone', '--hue': wallpaperHue(phone.token) },
    element(
      'div',
      { class: 'screen' },
      element('div', { class: 'island' }),
      element(
        'div',
        { class: 'status' },
        symbol('cellular', CELLULAR, '0 0 18 12'),
        symbol('wifi', WIFI, '0 0 17 12'),
        symbol('battery', BATTERY, '0 0 27 12'),
      ),
      element('div', { class: 'now' }, day, clock),
      list,
      element(
        'div',
        { class: 'dock' },
        element('span', {}, symbol('torch', TORCH)),
        element('span', {}, symbol('camera', CAMERA)),
      ),
      element('div', { class: 'home' }),
    ),
  )

  update(phone)
  return { element: frame, update }
}

// From blue over violet to rose: the hues that white letters and the wallpaper's neighbouring hues go well with.
const wallpaperHue = (token) => 225 + (hueOf(token) % 130)

/** Groups in the order of their newest member; silent pushes of one application are a group of their own. */
function groupNotifications(notifications) {
  const groups = new Map()
  for (const notification of notifications) {
    const { app, thread, silent } = notification
    const key = JSON.stringify([app, silent ? 'silent' : 'shown', silent ? undefined : thread])
    if (!groups.has(key)) groups.set(key, { key, silent, members: [] })
    groups.get(key).members.push(notification)
  }
  return [...groups.values()]
}

function drawGroup({ key, silent, members }, opening) {
  if (silent) return drawSilent(members)
  const [first, ...others] = members
  if (others.length === 0) return element('div', { class: 'group' }, drawCard(first))
  const open = opening.isOpen(key)
  const cards = open
    ? members.map(drawCard)
    : [element('div', { class: others.length > 1 ? 'stack deep' : 'stack' }, drawCard(first))]
  return element(
    'div',
    { class: 'group' },
    ...cards,
    element(
      'button',
      { class: 'more', type: 'button', 'aria-expanded': String(open), onclick: () => opening.set(key, !open) },
      open ? 'Show less' : `${others.length} more`,
    ),
  )
}

function drawCard(notification) {
  const { app, title, subtitle, body, badge, level, image, link, receivedAt, replaces, fresh } = notification
  const name = appName(app)
  return element(
    'button',
    { class: fresh ? 'card fresh' : 'card', type: 'button', onclick: () => showDetails(notification) },
    element(
      'span',
      { class: 'app-icon', '--hue': appHue(app) },
      name.charAt(0),
      badge > 0 ? element('span', { class: 'badge' }, badge > 99 ? '99+' : String(badge)) : undefined,
    ),
    element(
      'span',
      { class: 'words' },
      level === undefined ? undefined : element('span', { class: 'level' }, level.replace('-', ' ')),
      element(
        'span',
        { class: 'heading' },
        element('span', { class: 'app' }, name),
        replaces === undefined ? undefined : element('span', { class: 'updated' }, 'updated'),
        element('time', { datetime: receivedAt }, ago(receivedAt)),
      ),
      title === undefined ? undefined : textElement('strong', {}, title),
      subtitle === undefined ? undefined : textElement('span', { class: 'subtitle' }, subtitle),
      body === undefined ? undefined : textElement('span', { class: 'body' }, body),
      link === undefined ? undefined : element('span', { class: 'link' }, `Opens ${link}`),
    ),
    drawPicture(image),
  )
}

function drawSilent(members) {
  const [first] = members
  const what = members.length > 1 ? `${members.length} background pushes` : 'Background push'
  return element(
    'button',
    { class: first.fresh ? 'silent fresh' : 'silent', type: 'button', onclick: () => showDetails(first) },
    symbol('moon', MOON),
    element('span', {}, `${what} · ${appName(first.app)} · ${ago(first.receivedAt)}`),
  )
}
