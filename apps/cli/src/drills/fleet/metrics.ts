/** Whether every process of a gateway has so many addresses up for each of its services. */
export async function readAddressesUp(
  url: string,
  { nodes, services }: { readonly nodes: number; readonly services: number },
): Promise<boolean> {
  const up = readSeries(await readPage(url), 'gateway_upstream_addresses').filter(({ labels }) =>
    labels.includes('state="up"'),
  )
  return up.length >= services && up.every(({ value }) => value === nodes)
}

/** What a process has of the machine's memory. */
export async function readMemoryBytes(url: string): Promise<number> {
  return Math.max(0, ...readSeries(await readPage(url), 'process_resident_memory_bytes').map(({ value }) => value))
}

/** Empty when nobody answers. */
const readPage = (url: string): Promise<string> =>
  fetch(`${url}/metrics`).then(
    (answer) => answer.text(),
    () => '',
  )

/** The series of a name on a page in Prometheus' text format. */
export function readSeries(page: string, name: string): { readonly labels: string; readonly value: number }[] {
  const line = new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm')
  return [...page.matchAll(line)].map(([, labels = '', value]) => ({ labels, value: Number(value) }))
}
