/** What is said where few look, loaded with it; the form of every other language. */
export const rareEn = {
  devices: {
    title: 'Your devices',
    text: 'All devices of your account get your messages and send in your name.',
    unnamed: 'Unnamed device',
    here: 'This device',
    online: 'Reachable',
    away: 'Away',
    revoke: 'Take out',
    revokeSure: (name: string) => `Take out ${name} for good`,
    revokedHere: 'This device was taken out of the account on another device. It sends and gets nothing more; what is here can be read.',
    link: 'Link a new device',
    linkText:
      'On the new device, choose “Use this as another device” and scan this code or paste the link. It is good for ten minutes, once.',
    linkLabel: 'Link for the new device',
    qr: 'QR code of the link for the new device',
    compare: (name: string) => `“${name}” wants to join your account. Does it show the same six digits?`,
    compareHere: 'Confirm on the other device if it shows the same six digits.',
    same: 'The same: let it in',
    differ: 'They differ',
    linked: 'The new device is linked.',
    join: 'Use this as another device',
    joinText:
      'Your account is on another device already: open its settings, choose “Link a new device”, and paste the link here. Only a device without contacts can join.',
    joinLabel: 'Link from the other device',
    joinNow: 'Join',
    joined: 'Linked. Contacts and messages follow while both devices are reachable.',
  },
  nearby: {
    ask: 'Ask for contact',
    askAgain: 'Ask again',
    asked: 'Asked; you will be contacts when they say yes',
    problems: {
      DEVICE_AWAY: 'They are not in reach now. Ask again when they are in sight.',
    },
  },
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
