/** What is said where few look, loaded with it; the form of every other language. */
export const rareEn = {
  deletion: {
    open: 'Delete this conversation',
    text: (name: string) =>
      `All messages with ${name} are deleted on this device and on your other ones. What has not been sent yet is not sent any more. Files that you have received stay where they are, ${name} stays your contact, and keeps what they have.`,
    confirm: 'Delete',
  },
  proofs: {
    title: 'Delivery proofs',
    reveals:
      'Whoever has a proof can show anybody what was written, to whom, and when it came. You both can, with what the other has written, once both allow it.',
    allow: 'Allow delivery proofs with this contact',
    allowAll: 'Allow delivery proofs with everyone of whom I have said nothing else',
    theyAllow: 'Your contact allows them too.',
    theyDoNot: 'Your contact does not allow them, so none are made.',
    save: 'Save a delivery proof',
    check: 'Check a proof',
    checkText: 'Checked on this device, without a network: who has signed that a message came, and when.',
    valid: 'This proof is genuine.',
    from: 'From account',
    to: 'To account',
    message: 'Message',
    came: (when: string) => `Came ${when}`,
    read: (when: string) => `Read ${when}`,
    stored: (mailbox: string, when: string) => `Some message was left at ${mailbox} ${when}`,
    problems: {
      PROOFS_OFF: 'Nobody has signed that this message came: one of you does not allow it, or did not when it came.',
      PROOF_INVALID: 'This is no delivery proof, or something in it is not signed by whom it names. Do not rely on it.',
    },
  },
} as const

type Widened<T> = T extends string
  ? string
  : T extends (...given: infer G) => string
    ? (...given: G) => string
    : { readonly [K in keyof T]: Widened<T[K]> }
export type RareStrings = Widened<typeof rareEn>
