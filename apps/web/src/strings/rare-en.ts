/** What is said where few look, loaded with it; the form of every other language. */
export const rareEn = {
  deletion: {
    open: 'Delete this conversation',
    text: (name: string) =>
      `All messages with ${name} are deleted on this device and on your other ones. What has not been sent yet is not sent any more. Files that you have received stay where they are, ${name} stays your contact, and keeps what they have.`,
    confirm: 'Delete',
  },
} as const

type Widened<T> = T extends string
  ? string
  : T extends (...given: infer G) => string
    ? (...given: G) => string
    : { readonly [K in keyof T]: Widened<T[K]> }
export type RareStrings = Widened<typeof rareEn>
