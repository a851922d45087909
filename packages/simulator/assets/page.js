// The page: keeps the phones as the server tells them and has each platform draw its own.
import { clearPhone } from './calls.js'
import { element } from './dom.js'
import { createHuawei } from './huawei.js'
import { createIphone } from './iphone.js'
import { shortToken } from './look.js'
import { createPixel } from './pixel.js'

/** A new platform is one line here, with a function as createIphone. The order is that of the page. */
const PLATFORMS = {
  ios: { title: 'iPhone', create: createIphone },
  android: { title: 'Android', create: createPixel },
  huawei: { title: 'Huawei', create: createHuawei },
}
const NOTIFICATIONS_KEPT = 50
const MINUTE_MS = 60_000

const find = (selector) => document.querySelector(selector)
const phones = new Map()
const figures = new Map()
const changed = new Set()
let stats
let hasSnapshot = false
let frameAsked = false

const sections = Object.fromEntries(
  Object.entries(PLATFORMS).map(([platform, { title }]) => {
    const shelf = element('div', { class: 'shelf' })
    const count = element('span', { class: 'count' })
    const section = element('section', { class: 'platform', hidden: true }, element('h2', {}, title, count), shelf)
    find('#platforms').append(section)
    return [platform, { section, shelf, count }]
  }),
)

// ---- what the server tells

function takeAll(list) {
  phones.clear()
  for (const phone of list) takePhone(phone)
  for (const [token, figure] of figures) {
    if (phones.has(token)) continue
    figure.element.remove()
    figures.delete(token)
  }
  draw()
}

function takePhone(phone) {
  if (!(phone.platform in PLATFORMS)) return
  phones.set(phone.token, phone)
  changed.add(phone.token)
  draw()
}

function takeNotification({ platform, token, name, notification }) {
  const known = phones.get(token)?.notifications ?? []
  const others = known.filter((earlier) => earlier.id !== notification.replaces)
  const notifications = [{ ...notification, fresh: true }, ...others].slice(0, NOTIFICATIONS_KEPT)
  takePhone({ platform, token, name, notifications })
}

// ---- what is drawn, at most once per frame however many pushes arrive

function draw() {
  if (frameAsked) return
  frameAsked = true
  requestAnimationFrame(() => {
    frameAsked = false
    for (const token of changed) drawPhone(phones.get(token))
    changed.clear()
    drawFrame()
  })
}

function drawPhone(phone) {
  const figure = figures.get(phone.token) ?? addFigure(phone)
  figure.update(phone)
  // Drawn once: from now on it is an old one, which does not slide in again.
  for (const notification of phone.notifications) notification.fresh = false
}

function addFigure(phone) {
  const look = PLATFORMS[phone.platform].create(phone)
  const name = element('strong')
  const caption = element(
    'figcaption',
    {},
    element('div', {}, name, element('code', { title: phone.token }, shortToken(phone.token))),
    element(
      'button',
      { class: 'plain', type: 'button', onclick: (event) => copy(phone.token, event.target) },
      'Copy token',
    ),
    element('button', { class: 'plain', type: 'button', onclick: () => clearPhone(phone.token) }, 'Clear'),
  )
  const figure = {
    element: element('figure', {}, look.element, caption),
    update(next) {
      name.textContent = next.name
      look.update(next)
    },
  }
  sections[phone.platform].shelf.append(figure.element)
  figures.set(phone.token, figure)
  return figure
}

function drawFrame() {
  find('#empty').hidden = phones.size > 0
  for (const [platform, { section, count }] of Object.entries(sections)) {
    const here = [...phones.values()].filter((phone) => phone.platform === platform).length
    section.hidden = here === 0
    count.textContent = here
  }
  if (stats) find('#counts').replaceChildren(...describeStats().map(drawCount))
}

const drawCount = ([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))

function describeStats() {
  const sum = (member) => Object.values(stats).reduce((total, counts) => total + counts[member], 0)
  return [
    ['Phones reached', sum('distinctTokens').toLocaleString()],
    ['Received', sum('received').toLocaleString()],
    ['Refused', sum('refused').toLocaleString()],
    ['Without response', sum('withoutResponse').toLocaleString()],
  ]
}

// ---- what a person does

async function copy(text, button) {
  await navigator.clipboard.writeText(text)
  button.textContent = 'Copied'
  setTimeout(() => (button.textContent = 'Copy token'), 1500)
}

// ---- the connection

function listen() {
  const events = new EventSource('/events')
  const on = (type, take) => events.addEventListener(type, (event) => take(JSON.parse(event.data)))
  const live = find('#live')
  events.addEventListener('open', () => say(live, 'live'))
  events.addEventListener('error', () => say(live, 'reconnecting'))
  on('phones', (list) => {
    hasSnapshot = true
    takeAll(list)
  })
  on('phone', takePhone)
  on('notification', takeNotification)
  on('stats', (next) => {
    stats = next
    draw()
  })
}

function say(live, state) {
  live.textContent = state
  live.dataset.state = state
}

async function readState() {
  const read = async (path) => (await fetch(path)).json()
  const [list, counts, { prefixes }] = await Promise.all([read('/phones'), read('/stats'), read('/control/responses')])
  drawPrefixes(prefixes)
  // The stream of events begins with a newer state.
  if (hasSnapshot) return
  stats = counts
  takeAll(list)
}

function drawPrefixes(prefixes) {
  find('#prefixes tbody').replaceChildren(
    ...prefixes.map(({ prefix, meaning }) =>
      element('tr', {}, element('td', {}, element('code', {}, prefix)), element('td', {}, meaning)),
    ),
  )
  find('#prefixes').hidden = false
}

/** The clocks and the words "5m ago" change with the minute. */
function redrawEachMinute() {
  for (const token of phones.keys()) changed.add(token)
  draw()
  setTimeout(redrawEachMinute, MINUTE_MS - (Date.now() % MINUTE_MS))
}

listen()
void readState()
redrawEachMinute()
