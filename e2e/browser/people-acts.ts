/** What people do with what they see in the interface. */
import type { Person } from './interface-pages.ts'

/** Does something with the message that has this text. */
export async function act(person: Person, text: string, action: string): Promise<void> {
  const row = person.page.locator('[data-direction]', { hasText: text }).first()
  await row.hover()
  await row.getByRole('button', { name: 'Actions for this message' }).click()
  await person.page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click()
  await person.page.getByRole('dialog').waitFor({ state: 'detached' })
}

/** It is told once in a while and kept nowhere: whoever writes on is seen to do so in the end. */
export async function seesTyping(writer: Person, reader: Person): Promise<void> {
  for (let tries = 0; tries < 10; tries += 1) {
    await writer.page.getByLabel('Write a message').pressSequentially('t')
    const seen = reader.page.getByText('Writing…').waitFor({ timeout: 4_000 })
    if (
      await seen.then(
        () => true,
        () => false,
      )
    )
      return
  }
  throw new Error('nobody saw that somebody was writing')
}

/** What is wrong with a screen that ought to fit a phone. */
export async function faultsOf(person: Person, screen: string): Promise<readonly string[]> {
  const faults = [...(await person.faults()), ...((await person.overflow()) > 0 ? ['it is too wide'] : [])]
  return faults.map((fault) => `${screen}: ${fault}`)
}
