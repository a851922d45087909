// The dialog that shows everything about one notification.
import { element, textElement } from './dom.js'
import { appName } from './look.js'

const dialog = document.querySelector('#details')
dialog.addEventListener('click', (event) => {
  // The dialog itself is only hit beside its content.
  if (event.target === dialog) dialog.close()
})

/** `silentTitle` stands in for the title of what shows nothing. */
export function showDetails(notification, silentTitle = 'Background push') {
  const facts = [
    ['Application', notification.app],
    ['Received', new Date(notification.receivedAt).toLocaleString()],
    ['Id', notification.id],
    ['Priority', notification.priority],
    ['Collapse key', notification.collapseKey],
    ['Tag', notification.tag],
    ['Channel', notification.channel],
    ['Thread', notification.thread],
    ['Badge', notification.badge],
    ['Sound', notification.sound],
    ['Subtitle', notification.subtitle],
    ['Interruption', notification.level],
    ['Picture', notification.image],
    ['Link', notification.link],
    ['Replaced', notification.replaces],
  ].filter(([, value]) => value !== undefined)
  dialog.replaceChildren(
    element(
      'div',
      { class: 'sheet' },
      textElement('h2', {}, notification.title ?? (notification.silent ? silentTitle : appName(notification.app))),
      notification.body === undefined ? undefined : textElement('p', { class: 'text' }, notification.body),
      element(
        'dl',
        {},
        ...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, String(value))]),
      ),
      element('h3', {}, 'Payload'),
      element('pre', { tabindex: '0' }, JSON.stringify(notification.payload, undefined, 2)),
      element('button', { class: 'plain', type: 'button', onclick: () => dialog.close() }, 'Close'),
    ),
  )
  dialog.showModal()
}
