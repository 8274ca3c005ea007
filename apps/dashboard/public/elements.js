/** A new element of the page; children that are texts stay texts. */
export function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

export function button(text, onClick) {
  const made = element('button', { type: 'button', className: 'secondary outline' }, text)
  made.addEventListener('click', onClick)
  return made
}

/** Into the clipboard; `source` says so for a moment. */
export async function copy(text, source) {
  await navigator.clipboard.writeText(text)
  const before = source.textContent
  source.textContent = 'Copied'
  setTimeout(() => (source.textContent = before), 1200)
}
