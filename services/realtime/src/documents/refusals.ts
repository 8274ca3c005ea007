/** Why something about a document is refused, as clients read it: a code and a text. */
export const documentRefusals = {
  needsPrivate: () =>
    'DocumentNeedsPrivateChannel: A document needs a private channel, whose policies say who reads and writes it',
  mayNotRead: (topic: string) => `DocumentUnauthorized: You do not have permissions to read this document: ${topic}`,
  mayNotWrite: (topic: string) => `DocumentReadOnly: You do not have permissions to write to this document: ${topic}`,
  mayNotShow: (topic: string) => `DocumentAwarenessReadOnly: You do not have permissions to show yourself in: ${topic}`,
  malformed: () => 'DocumentMalformed: These bytes are no message of y-protocols',
  updateTooLarge: (bytes: number, bytesMax: number) =>
    `DocumentUpdateTooLarge: An update of ${bytes} bytes is larger than ${bytesMax}`,
  tooLarge: (bytesMax: number) => `DocumentTooLarge: The document would be larger than ${bytesMax} bytes`,
  awarenessTooLarge: (bytesMax: number) => `DocumentAwarenessTooLarge: Awareness of more than ${bytesMax} bytes`,
  awarenessTooMany: (statesMax: number) => `DocumentAwarenessTooMany: One member shows at most ${statesMax} states`,
  // These pass: who is told one of them syncs again.
  full: () => 'DocumentsFull: Too many documents are open on this node; sync again later',
  outOfStep: () => 'DocumentOutOfStep: The update builds on others that are not here; sync again',
  unavailable: () => 'DocumentUnavailable: The document cannot be read or written now; sync again later',
} as const
