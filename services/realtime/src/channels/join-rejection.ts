/** Why a channel cannot be joined, as the wire says it: a code of the protocol and a text. */
export class JoinRejection extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
