/** What people do with what they see in the interface. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Person } from './interface-pages.ts'

/** Does something with the message that has this text. */
export async function act({ page }: Person, text: string, action: string): Promise<void> {
  await openActions(page, text)
  await page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

/** With an emoji that is not offered. */
export async function reactWith(person: Person, text: string, emoji: string): Promise<void> {
  await openActions(person.page, text)
  await person.page.getByLabel('Another emoji').fill(emoji)
  expect(await person.faults()).toEqual([])
  await person.page.keyboard.press('Enter')
  await person.page.getByRole('dialog').waitFor({ state: 'detached' })
}

async function openActions(page: Page, text: string): Promise<void> {
  const row = page.locator('[data-direction]', { hasText: text }).first()
  await row.hover()
  await row.getByRole('button', { name: 'Actions for this message' }).click()
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

export async function turnReceiptsOff(person: Person): Promise<void> {
  await person.at('/settings')
  const receipts = person.page.getByRole('switch', { name: 'Tell contacts what you have read' })
  await receipts.click()
  await person.page.getByText('Saved').waitFor()
  await expect.poll(() => receipts.isChecked(), { timeout: 60_000 }).toBe(false)
  await person.joined()
}

/** Path of the file. */
export async function saveBackup({ page }: Person, passphrase: string): Promise<string> {
  await page.getByLabel('Passphrase of the backup').fill(passphrase)
  const saved = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save a backup' }).click()
  return (await saved).path()
}

/** Contacts and history, to be read. */
export async function saveText({ page }: Person): Promise<string> {
  const saved = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save as readable text' }).click()
  return (await saved).path()
}

/** At the second try, with keys that are sealed; the first has another passphrase, and would not seal them. */
export async function restoreAt(person: Person, file: string): Promise<void> {
  const { page } = person
  await page.goto(person.url)
  await page.getByRole('button', { name: 'Restore a backup' }).click()
  await page.getByLabel('File of the backup').setInputFiles(file)
  expect(await person.faults()).toEqual([])
  await page.getByLabel('Passphrase of the backup').fill('wrong horse')
  await page.getByRole('button', { name: 'Restore', exact: true }).click()
  await page.getByText(/The passphrase does not open this file/).waitFor()
  await page.getByLabel('Passphrase of the backup').fill('correct horse')
  await page.getByRole('checkbox').check()
  await page.getByLabel('What others see as your name').fill('Di')
  await page.getByRole('button', { name: 'Restore', exact: true }).click()
}

/** Whether the page keeps the browser from opening a file that is held, and dropped, where nobody takes it. */
export const staysWhenDropped = (): boolean[] =>
  ['dragover', 'drop'].map((type) => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File(['x'], 'x.txt'))
    return !document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }))
  })
