// Making elements. Data only ever becomes text nodes and attribute values, never markup.

/**
 * Attributes starting with "on" are listeners, those starting with "--" are CSS variables; `undefined` and `false` are left
 * out, as are children that are `undefined`.
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value)
    else if (name.startsWith('--')) node.style.setProperty(name, value)
    else node.setAttribute(name, value === true ? '' : value)
  }
  node.append(...children.filter((child) => child !== undefined))
  return node
}

/** An element that holds a text of a notification: it is read in the direction of its first letter, whatever the page's is. */
export const textElement = (tag, attributes, ...children) => element(tag, { ...attributes, dir: 'auto' }, ...children)

const SVG = 'http://www.w3.org/2000/svg'

/** A symbol drawn by one path in a box of the given size. */
export function symbol(name, path, box = '0 0 24 24') {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', box)
  svg.setAttribute('class', `symbol ${name}`)
  svg.setAttribute('aria-hidden', 'true')
  const shape = document.createElementNS(SVG, 'path')
  shape.setAttribute('d', path)
  shape.setAttribute('fill-rule', 'evenodd')
  svg.append(shape)
  return svg
}
