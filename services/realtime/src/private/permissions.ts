/** What the policies on `realtime.messages` allow somebody in a topic: select is read, insert is write. */
export type Permissions = {
  readonly broadcast: { readonly read: boolean; readonly write: boolean }
  readonly presence: { readonly read: boolean; readonly write: boolean }
}
