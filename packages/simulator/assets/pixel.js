// An Android phone as Google makes them: its lock screen with Material's notifications.
import {
  addDataNote,
  arrange,
  BATTERY,
  CELLULAR,
  drawExpander,
  drawFacts,
  drawIcon,
  drawTime,
  drawUpdated,
  showAll,
  WIFI,
} from './android-parts.js'
import { element, symbol, textElement } from './dom.js'
import { createLockScreen } from './lock-screen.js'
import { appName, hueOf } from './look.js'
import { drawPicture } from './picture.js'

const LOCK =
  'M7 10V7.500a5 5 0 0 1 10 0V10h.500A1.500 1.500 0 0 1 19 11.500v8a1.500 1.500 0 0 1-1.500 1.500h-11A1.500 1.500 0 0 1 5 19.500v-8A1.500 1.500 0 0 1 6.500 10zM9 10h6V7.500a3 3 0 0 0-6 0zM12 14a1.500 1.500 0 1 0 0 3a1.500 1.500 0 0 0 0-3z'
const HOME = 'M12 3.500l8.500 7V20a1 1 0 0 1-1 1H14.500v-6h-5v6H4.500a1 1 0 0 1-1-1v-9.500z'
const CARD =
  'M4.500 5h15A1.500 1.500 0 0 1 21 6.500v11a1.500 1.500 0 0 1-1.500 1.500h-15A1.500 1.500 0 0 1 3 17.500v-11A1.500 1.500 0 0 1 4.500 5zM5 11v6h14v-6zM5 7v1.500h14V7z'
const MUTED =
  'M3.500 2.200l18.300 18.300-1.300 1.300-3.800-3.800H4v-1.500l2-2V10c0-.700.100-1.400.300-2L2.200 3.500zM18 13.200L8.300 4.900A6 6 0 0 1 10.500 4V3a1.500 1.500 0 0 1 3 0v1A6 6 0 0 1 18 10zM10 19h4a2 2 0 0 1-4 0z'

/** Returns the element and how to draw another state of the same phone into it. */
export function createPixel(phone) {
  const { day, clock, list, update } = createLockScreen({
    writeDay: (now) => now.toLocaleDateString([], { weekday: 'short', month: 'short', day: 'numeric' }),
    drawList,
  })
  const frame = element(
    'div',
    { class: 'pixel', '--hue': wallpaperHue(phone.token) },
    element('div', { class: 'keys' }),
    element(
      'div',
      { class: 'screen' },
      element('div', { class: 'camera' }),
      element(
        'div',
        { class: 'status' },
        element('span', {}, 'Simulated'),
        symbol('wifi', WIFI),
        symbol('cellular', CELLULAR),
        symbol('battery', BATTERY),
      ),
      element('div', { class: 'now' }, clock, day),
      list,
      element(
        'div',
        { class: 'dock' },
        element('span', {}, symbol('home', HOME)),
        symbol('lock', LOCK),
        element('span', {}, symbol('wallet', CARD)),
      ),
      element('div', { class: 'gesture' }),
    ),
  )
  update(phone)
  return { element: frame, update }
}

// From green over teal to blue, which the neighbouring hues of the wallpaper's shapes go well with.
const wallpaperHue = (token) => 140 + (hueOf(token) % 90)

function drawList(notifications, opening) {
  const { loud, quiet } = arrange(notifications)
  const parts = []
  if (loud.length > 0) {
    const [newest] = loud
    const cards = loud.flatMap((group) => drawGroup(group, opening, group === newest))
    parts.push(element('div', { class: 'cards' }, ...cards))
  }
  if (quiet.length > 0) {
    parts.push(
      element('p', { class: 'section' }, 'Silent', symbol('muted', MUTED)),
      element('div', { class: 'cards quiet' }, ...quiet.map((notification) => drawCard(notification, opening))),
    )
  }
  return addDataNote(parts, notifications)
}

/** The newest notification is open until somebody closes it, as on the real one. */
function drawGroup({ key, members }, opening, isNewest) {
  if (members.length === 1) return [drawCard(members[0], opening, isNewest)]
  const open = opening.isOpen(key)
  const toggle = { open, count: members.length, onclick: () => opening.set(key, !open) }
  const [first] = members
  if (open) return [drawBundle(first, toggle), ...members.map((member) => drawCard(member, opening))]
  const lines = members
    .slice(0, 3)
    .map(({ title, body }) =>
      textElement(
        'span',
        { class: 'line' },
        title === undefined ? undefined : textElement('b', {}, title),
        ` ${body ?? ''}`,
      ),
    )
  return [drawBundle(first, toggle, lines)]
}

function drawBundle(first, toggle, lines = []) {
  return element(
    'article',
    { class: first.fresh ? 'card bundle fresh' : 'card bundle' },
    element(
      'button',
      { class: 'main', type: 'button', onclick: toggle.onclick },
      drawIcon(first.app),
      element('span', { class: 'words' }, drawHeading(first), ...lines),
    ),
    drawExpander(toggle),
  )
}

function drawCard(notification, opening, byDefault = false) {
  const { id, app, title, body, badge, image, fresh } = notification
  const open = opening.isOpen(id, byDefault)
  return element(
    'article',
    { class: `card${open ? ' open' : ''}${fresh ? ' fresh' : ''}` },
    element(
      'button',
      { class: 'main', type: 'button', onclick: () => showAll(notification) },
      drawIcon(app, badge),
      element(
        'span',
        { class: 'words' },
        drawHeading(notification),
        title === undefined ? undefined : textElement('strong', {}, title),
        body === undefined ? undefined : textElement('span', { class: 'body' }, body),
        open ? drawFacts(notification) : undefined,
      ),
      drawPicture(image),
    ),
    drawExpander({ open, count: 1, onclick: () => opening.set(id, !open) }),
  )
}

const drawHeading = (notification) =>
  element(
    'span',
    { class: 'heading' },
    element('span', { class: 'app' }, appName(notification.app)),
    drawTime(notification),
    drawUpdated(notification),
  )
