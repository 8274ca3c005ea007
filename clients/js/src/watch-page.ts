type Listens = {
  addEventListener(event: string, listener: () => void): void
  removeEventListener(event: string, listener: () => void): void
}

/** What a browser has; React Native has neither. */
export type Page = Partial<Listens> & { readonly document?: Listens & { readonly visibilityState: string } }

/** Calls when a page is shown or hidden and when the network is back. The answer ends it. */
export function watchPage(page: Page, { wake, sleep }: { wake: () => void; sleep: () => void }): () => void {
  const { document } = page
  const turn = (): void => (document?.visibilityState === 'hidden' ? sleep() : wake())
  document?.addEventListener('visibilitychange', turn)
  page.addEventListener?.('online', turn)
  return () => {
    document?.removeEventListener('visibilitychange', turn)
    page.removeEventListener?.('online', turn)
  }
}
