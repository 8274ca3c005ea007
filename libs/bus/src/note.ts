/** What the processes say for the bus itself. */
export type Note =
  /** "I live." */
  | {
      readonly is: 'beat'
      /** The number of its newest `must` message. */
      readonly last: number
      /** Whether it hears Redis. */
      readonly redis: boolean
      /** How many times it had to drop messages. */
      readonly losses: number
      /** It does not know who is there: everybody answers. */
      readonly asks: boolean
      /** Whose question this answers: that one is known now, and gets what is sent from here on. */
      readonly answers?: string
    }
  | { readonly is: 'bye'; readonly last: number }
  /** "Node `to`, send me your `must` messages from number `from` on once more." */
  | { readonly is: 'ask'; readonly to: string; readonly from: number }
  /** "Node `to`, those before `first` I no longer have." */
  | { readonly is: 'forgotten'; readonly to: string; readonly first: number }

export type Beat = Extract<Note, { is: 'beat' }>

export const encodeNote = (note: Note): Buffer => Buffer.from(JSON.stringify(note))

/** Undefined for what is none, as a later version may send it. */
export function decodeNote(body: Buffer): Note | undefined {
  const note = JSON.parse(body.toString()) as Note
  return note.is === 'beat' || note.is === 'bye' || note.is === 'ask' || note.is === 'forgotten' ? note : undefined
}
