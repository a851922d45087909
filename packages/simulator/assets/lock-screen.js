// What every phone has: a clock, the day, a list of notifications, and which parts of the list a person opened or closed.
import { element } from './dom.js'

/**
 * `writeDay` gives the text of the day. `drawList(notifications, opening)` gives the elements of the list; `opening.isOpen(key,
 * byDefault)` tells whether a part is open, `opening.set(key, open)` changes it and draws again.
 */
export function createLockScreen({ writeDay, drawList }) {
  const day = element('p', { class: 'day' })
  const clock = element('p', { class: 'clock' })
  const list = element('div', { class: 'notifications' })
  const choices = new Map()
  let drawn

  const opening = {
    isOpen: (key, byDefault = false) => choices.get(key) ?? byDefault,
    set(key, open) {
      choices.set(key, open)
      update(drawn)
    },
  }
  function update(phone) {
    drawn = phone
    const now = new Date()
    day.textContent = writeDay(now)
    clock.textContent = now.toLocaleTimeString([], { hour: 'numeric', minute: '2-digit', hour12: false })
    const parts = drawList(phone.notifications, opening)
    list.replaceChildren(...(parts.length > 0 ? parts : [element('p', { class: 'none' }, 'No notifications')]))
  }
  return { day, clock, list, update }
}
