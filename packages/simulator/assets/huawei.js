// A Huawei phone: its lock screen with the notifications as HarmonyOS shows them.
import {
  addDataNote,
  arrange,
  BATTERY,
  drawExpander,
  drawFacts,
  drawIcon,
  drawTime,
  drawUpdated,
  showAll,
  WIFI,
} from './android-parts.js'
import { clearPhone } from './calls.js'
import { element, symbol, textElement } from './dom.js'
import { createLockScreen } from './lock-screen.js'
import { appName, hueOf } from './look.js'
import { drawPicture } from './picture.js'

const BARS = 'M2 17h3v4H2zM7.500 13h3v8h-3zM13 8.500h3V21h-3zM18.500 4h3v17h-3z'
const TRASH =
  'M9.500 3h5l1 1.500H20v2H4v-2h4.500zM5.500 8h13l-.900 12.500a1.500 1.500 0 0 1-1.500 1.500H7.900a1.500 1.500 0 0 1-1.500-1.500zM9 10.500l.400 8.500h1.500l-.300-8.500zM13.400 10.500l-.300 8.500h1.500l.400-8.500z'

/** Returns the element and how to draw another state of the same phone into it. */
export function createHuawei(phone) {
  const { day, clock, list, update } = createLockScreen({
    writeDay: (now) => now.toLocaleDateString([], { weekday: 'long', month: 'long', day: 'numeric' }),
    drawList,
  })
  const bin = element(
    'button',
    { class: 'bin', type: 'button', 'aria-label': 'Clear all', onclick: () => clearPhone(phone.token) },
    symbol('trash', TRASH),
  )
  const frame = element(
    'div',
    { class: 'huawei', '--hue': wallpaperHue(phone.token) },
    element(
      'div',
      { class: 'screen' },
      element('div', { class: 'cameras' }, element('i'), element('i'), element('i')),
      element(
        'div',
        { class: 'status' },
        element('span', {}, 'Simulated'),
        symbol('bars', BARS),
        symbol('wifi', WIFI),
        symbol('battery', BATTERY),
      ),
      element('div', { class: 'now' }, clock, day),
      list,
      bin,
      element('div', { class: 'gesture' }),
    ),
  )
  const draw = (next) => {
    bin.hidden = next.notifications.length === 0
    update(next)
  }
  draw(phone)
  return { element: frame, update: draw }
}

// From red over gold to olive: the warm side, which the other phones leave free.
const wallpaperHue = (token) => 20 + (hueOf(token) % 55)

function drawList(notifications, opening) {
  const { loud, quiet } = arrange(notifications)
  const [newest] = loud
  const cards = [
    ...loud.map((group) => drawGroup(group, opening, group === newest)),
    ...quiet.map((notification) => drawCard(notification, { opening, quiet: true })),
  ]
  return addDataNote(cards, notifications)
}

/** A bundle shows its newest notification, and the edges of those beneath it. */
function drawGroup({ key, members }, opening, isNewest) {
  const [first, ...others] = members
  if (others.length === 0) return drawCard(first, { opening, byDefault: isNewest })
  const open = opening.isOpen(key)
  const fold = element(
    'button',
    { class: 'fold', type: 'button', 'aria-expanded': String(open), onclick: () => opening.set(key, !open) },
    open ? 'Fold' : `${others.length} more from ${appName(first.app)}`,
  )
  const cards = (open ? members : [first]).map((member) => drawCard(member, { opening }))
  return element('div', { class: open ? 'group' : 'group stack' }, ...cards, fold)
}

function drawCard(notification, { opening, byDefault = false, quiet = false }) {
  const { id, app, title, body, badge, image, fresh } = notification
  const open = opening.isOpen(id, byDefault)
  return element(
    'article',
    { class: `card${open ? ' open' : ''}${quiet ? ' quiet' : ''}${fresh ? ' fresh' : ''}` },
    element(
      'button',
      { class: 'main', type: 'button', onclick: () => showAll(notification) },
      element(
        'span',
        { class: 'heading' },
        drawIcon(app, badge),
        element('span', { class: 'app' }, appName(app)),
        drawUpdated(notification),
        drawTime(notification),
      ),
      element(
        'span',
        { class: 'content' },
        element(
          'span',
          { class: 'words' },
          title === undefined ? undefined : textElement('strong', {}, title),
          body === undefined ? undefined : textElement('span', { class: 'body' }, body),
        ),
        drawPicture(image),
      ),
      open ? drawFacts(notification) : undefined,
    ),
    drawExpander({ open, count: 1, onclick: () => opening.set(id, !open) }),
  )
}
