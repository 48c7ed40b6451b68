import { World } from '@skein/core/testing'
import { expect, it } from 'vitest'
import { nativePrimitives as primitives } from '../platform/primitives.ts'
import { checkProofFile, proofFile } from './proof-file.ts'

const invalid = expect.objectContaining({ code: 'PROOF_INVALID' })

/** A message that came, was edited, and was read then. */
async function edited(seed: number) {
  const world = new World(seed)
  const [ana, bo] = [await world.start('ana', { readReceipts: true }), await world.start('bo', { readReceipts: true })]
  await world.befriend(ana, bo)
  await ana.messenger.proofs.allow(true)
  await bo.messenger.proofs.allow(true)
  await world.run(2_000)
  const { id } = await world.send(ana, bo, 'as it was')
  await world.run(5_000)
  // The code that keeps signatures is loaded when the first one comes, which takes no virtual time.
  const kept = (): Promise<number> =>
    ana.messenger.proofs.of(id).then(
      ({ receipts }) => receipts.length,
      () => 0,
    )
  await expect.poll(kept).toBe(1)
  await ana.messenger.conversation.annotate({ kind: 'edit', target: id, text: 'as it is' })
  await world.run(2_000)
  await bo.messenger.seen(ana.messenger.identity.account, id)
  await world.run(5_000)
  return proofFile(await ana.messenger.proofs.of(id))
}

it('[DP4] [DP6] a file of a message that was edited says what was acknowledged before and after, and is checked as a whole', async () => {
  const [file, other] = [await edited(1), await edited(2)]
  const receipts = checkProofFile(primitives, JSON.stringify(file)).receipts.map(({ read, text }) => [read, text])
  expect(receipts.sort()).toEqual([
    [false, 'as it was'],
    [true, 'as it is'],
  ])
  // As files were before, with one message and one list for all.
  const own = file.receipts.find(({ message }) => message === undefined)
  expect(checkProofFile(primitives, JSON.stringify({ ...file, receipts: [own] })).receipts).toHaveLength(1)
  const [first] = other.receipts.map((each) => ({ message: other.message, device_list: other.device_list, ...each }))
  const without = file.receipts.map(({ message: _message, ...each }) => each)
  for (const forged of [
    { receipts: [...file.receipts, first] },
    { receipts: without },
    { message: { ...file.message, text: 'never said' } },
  ])
    expect(() => checkProofFile(primitives, JSON.stringify({ ...file, ...forged }))).toThrow(invalid)
})
