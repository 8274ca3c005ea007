/** Some clients read JSON by recursion: whoever sends deeper than this means to break others. */
export const depthMax = 500

/** Whether lists and objects lie deeper in each other than `depthMax`. */
export function isTooDeep(json: Buffer): boolean {
  // What opens has to close again.
  if (json.length <= 2 * depthMax) return false
  let depth = 0
  let isText = false
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at]!
    if (isText) {
      if (byte === backslash) at += 1
      else isText = byte !== quote
    } else if (byte === quote) isText = true
    else if ((byte | bracketOrBrace) === opening) depth += 1
    else if ((byte | bracketOrBrace) === closing) depth -= 1
    if (depth > depthMax) return true
  }
  return false
}

const quote = 0x22
const backslash = 0x5c
/** The bit in which `[` and `{`, and `]` and `}`, differ. */
const bracketOrBrace = 0x20
const opening = 0x7b
const closing = 0x7d
