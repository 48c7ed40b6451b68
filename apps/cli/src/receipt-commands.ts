/** `skein receipt`: delivery proofs. */
import { readFile, writeFile } from 'node:fs/promises'
import { deviceIdFromKey, SkeinError } from '@skein/core'
import { type Session, withApi } from './commands.ts'
import { EXIT } from './output.ts'
import { oneLine } from './terminal-text.ts'

/** More than the largest text, each byte escaped. */
const MAX_FILE_BYTES = 1_000_000
const time = (instant: number): string => new Date(instant).toLocaleString()
const REVEALS =
  'Whoever has the file can show anybody what you wrote, to whom, and when it came; your contact can do the same with what you get.'

/** @param allowed undefined: only shown */
export const allow = (session: Session, allowed: boolean | undefined, contact?: string): Promise<number> =>
  withApi(session, async (api) => {
    const state = await api.proofs({ ...(contact === undefined ? {} : { contact }), ...(allowed === undefined ? {} : { allowed }) })
    const theirs = state.theirs === null ? '' : ` The other side ${state.theirs ? 'allows them as well' : 'does not allow them'}.`
    session.output.result(state, state.ours ? `Delivery proofs are allowed.${theirs}\n${REVEALS}` : `Delivery proofs are off.${theirs}`)
  })

export const exportProof = (session: Session, id: string, { output }: { output?: string }): Promise<number> =>
  withApi(session, async (api) => {
    const { proof } = await api.proof({ id })
    if (output === undefined) return void session.output.result(proof, JSON.stringify(proof, undefined, 2))
    await writeFile(output, `${JSON.stringify(proof, undefined, 2)}\n`, { mode: 0o600 })
    session.output.result(
      { file: output, receipts: proof.receipts.length, stored: proof.stored.length },
      `The proof is in ${output}. ${REVEALS}`,
    )
  })

/** Without a daemon and without a network. */
export async function verify({ output }: Session, file: string): Promise<number> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new SkeinError('USAGE', `The file ${file} cannot be read.`, { cause })
  })
  if (bytes.length > MAX_FILE_BYTES) throw new SkeinError('PROOF_INVALID', 'This file is no delivery proof: it is far too large.')
  const { checkProofFile, nativePrimitives } = await import('@skein/node/proofs')
  const checked = checkProofFile(nativePrimitives, bytes.toString('utf8'))
  const other = (text: string): string => (text === checked.text ? '' : `  «${oneLine(text)}»`)
  const receipts = checked.receipts.map(
    ({ device, at, read, text }) => `  ${read ? 'read' : 'came'}    ${time(at)}  ${device}${other(text)}`,
  )
  const stored = checked.stored.map(({ mailbox, relay_key: key, at }) => {
    const relay = deviceIdFromKey(Buffer.from(key, 'base64'))
    return `  stored  ${time(at)}  ${relay}\n          at ${oneLine(mailbox)}, and that it was this message: both as the sender says`
  })
  const head = [
    `Signed by the recipient.`,
    `  from    ${checked.sender}`,
    `  to      ${checked.recipient}`,
    `  text    ${oneLine(checked.text)}`,
  ]
  output.result(checked, [...head, ...receipts, ...stored].join('\n'))
  return EXIT.done
}
