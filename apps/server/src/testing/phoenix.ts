/** What the server says, as version 2.0.0 of the wire writes it. */
export type Said = {
  readonly ref: string | null
  readonly topic: string
  readonly event: string
  readonly payload: Readonly<Record<string, unknown>>
}

export type Answer = { readonly status: string; readonly response: Readonly<Record<string, unknown>> }

/** A client of channels that says exactly what it is told to, and remembers what it heard. */
export type Phoenix = {
  readonly heard: readonly Said[]
  /** `false` from when on what is heard is told to `onHeard` alone: for the many who hear much. */
  remembers: boolean
  /** The code that the socket was closed with; undefined while it is open. */
  readonly closed: Promise<number>
  /** Calls back for each message, before `until` sees it. */
  onHeard: (said: Said) => void
  /** Sends a message and waits for the answer. Rejects when the socket closes before it. */
  ask(topic: string, event: string, payload?: unknown): Promise<Answer>
  /** Sends a message without waiting. */
  tell(topic: string, event: string, payload?: unknown): void
  /** Sends a text or bytes as one message, whatever they are. */
  send(message: string | Uint8Array<ArrayBuffer>): void
  join(name: string, config?: object, token?: string): Promise<Answer>
  /** The first message that fits, heard already or to come. Rejects when the socket closes before it. */
  until(fits: (said: Said) => boolean): Promise<Said>
  close(): void
}

/** How long a server may take to answer a handshake: one that cannot keep up drops who comes, and they come again. */
const openMsMax = 10_000

/** Opens a socket; rejects when the server does not let it. `url` is the API's, `query` the parameters. */
export async function openPhoenix(url: string, query: Readonly<Record<string, string>>): Promise<Phoenix> {
  const parameters = new URLSearchParams({ vsn: '2.0.0', ...query })
  const socket = new WebSocket(`${url.replace('http', 'ws')}/realtime/v1/websocket?${parameters}`)
  socket.binaryType = 'arraybuffer'
  const heard: Said[] = []
  const waiting = new Set<(said: Said) => void>()
  const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)))
  socket.addEventListener('message', ({ data }) => {
    const said = typeof data === 'string' ? fromText(data) : fromBytes(Buffer.from(data as ArrayBuffer))
    if (phoenix.remembers) heard.push(said)
    phoenix.onHeard(said)
    for (const look of waiting) look(said)
  })
  const until = (fits: (said: Said) => boolean): Promise<Said> =>
    new Promise((resolve, reject) => {
      const known = heard.find(fits)
      if (known !== undefined) return resolve(known)
      const look = (said: Said): void => {
        if (!fits(said)) return
        waiting.delete(look)
        resolve(said)
      }
      waiting.add(look)
      void closed.then((code) => reject(new Error(`the socket was closed: ${code}`)))
    })
  let refs = 0
  const tell = (topic: string, event: string, payload: unknown = {}): string => {
    const ref = String((refs += 1))
    const joinRef = event === 'phx_join' ? ref : null
    socket.send(JSON.stringify([joinRef, ref, topic, event, payload]))
    return ref
  }
  const ask = async (topic: string, event: string, payload?: unknown): Promise<Answer> => {
    const ref = tell(topic, event, payload)
    const said = await until((each) => each.event === 'phx_reply' && each.ref === ref)
    return said.payload as Answer
  }
  const phoenix: Phoenix = {
    heard,
    remembers: true,
    closed,
    onHeard: () => {},
    ask,
    tell: (topic, event, payload) => void tell(topic, event, payload),
    send: (message) => socket.send(message),
    join: (name, config = {}, token) => ask(`realtime:${name}`, 'phx_join', { config, access_token: token }),
    until,
    close: () => socket.close(),
  }
  const overdue = setTimeout(() => socket.close(), openMsMax)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error('the socket was not opened')))
  }).finally(() => clearTimeout(overdue))
  return phoenix
}

function fromText(text: string): Said {
  const [, ref, topic, event, payload] = JSON.parse(text) as [unknown, string | null, string, string, Said['payload']]
  return { ref, topic, event, payload }
}

/** A message of another client: kind, lengths of topic, event and metadata, encoding, the three texts, the payload. */
function fromBytes(bytes: Buffer): Said {
  let at = 5
  const [topic, event, meta] = [...bytes.subarray(1, 4)].map((length) => bytes.toString('utf8', at, (at += length)))
  const rest = bytes.subarray(at)
  const payload: unknown = bytes[4] === 1 ? JSON.parse(rest.toString()) : rest
  return { ref: null, topic: topic!, event: 'broadcast', payload: { event, payload, meta: meta && JSON.parse(meta) } }
}
