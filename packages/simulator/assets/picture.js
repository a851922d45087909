// The picture of a notification: its place, since the page loads nothing from elsewhere.
import { element, symbol } from './dom.js'

const LANDSCAPE =
  'M4 4h16a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM4.500 17.500h15l-4.800-6.500-3.700 4.800-2.600-3zM8 7.500a1.600 1.600 0 1 0 0 3.200a1.600 1.600 0 0 0 0-3.200z'

export const drawPicture = (image) =>
  image === undefined
    ? undefined
    : element(
        'span',
        { class: 'picture', role: 'img', 'aria-label': `Picture ${image}`, title: image },
        symbol('landscape', LANDSCAPE),
      )
