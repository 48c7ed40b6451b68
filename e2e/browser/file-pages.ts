/** People who send and save files in a browser. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Interface, Person } from './interface-pages.ts'

const WITHIN_MS = 60_000

/** A picture of one pixel, in base64. */
export const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

export class FilePerson extends Person {
  static async open(world: Interface): Promise<FilePerson> {
    const { context, page } = await world.person()
    return new FilePerson(context, page, world.relay.url)
  }

  /** In another tab, while this one runs the client. */
  async second(): Promise<FilePerson> {
    const tab = new FilePerson(this.context, await this.context.newPage(), new URL(this.page.url()).origin)
    await tab.page.goto(this.page.url().split('#')[0] ?? '')
    return tab
  }

  /** Sends a file in the conversation that is open. */
  async choose(name: string, buffer: Buffer): Promise<void> {
    await this.page.locator('main input[type="file"]').setInputFiles({ name, mimeType: 'application/octet-stream', buffer })
    await this.page.locator('[data-transfer]', { hasText: name }).waitFor()
  }

  /** Sends one file to several people, by the tab for files. */
  async sendFromTab(names: readonly string[], { name, bytes }: { readonly name: string; readonly bytes: Buffer }): Promise<void> {
    await this.area('Files')
    for (const each of names) await this.page.getByLabel(each, { exact: true }).check()
    const file = { name, mimeType: 'application/octet-stream', buffer: bytes }
    await this.page.locator('main input[type="file"]').first().setInputFiles(file)
    await this.page
      .locator('[data-transfer]', { hasText: name })
      .nth(names.length - 1)
      .waitFor()
  }

  /** The same with a file on the disk, however large. */
  async choosePath(path: string): Promise<void> {
    await this.page.locator('main input[type="file"]').setInputFiles(path)
    await this.page.locator('[data-transfer]', { hasText: basename(path) }).waitFor()
  }

  /** Drops an image on the conversation that is open. @param base64 its bytes */
  async drop(name: string, base64: string): Promise<void> {
    await this.page.locator('main').evaluate(
      (main, [called, text]) => {
        const data = new DataTransfer()
        data.items.add(new File([Uint8Array.from(atob(text), (each) => each.charCodeAt(0))], called, { type: 'image/png' }))
        main.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))
      },
      [name, base64] as const,
    )
    await this.page.locator('[data-transfer]', { hasText: name }).waitFor()
  }

  /** Pastes a file into the tab for files, with nothing in focus. */
  async paste(to: string, name: string): Promise<void> {
    await this.area('Files')
    await this.page.getByLabel(to, { exact: true }).check()
    await this.page.evaluate((called) => {
      const data = new DataTransfer()
      data.items.add(new File(['pasted'], called))
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
    }, name)
    await this.page.locator('[data-transfer]', { hasText: name }).waitFor()
  }

  async cap(label: string): Promise<void> {
    await this.page.getByLabel('Speed of all transfers together').selectOption({ label })
  }

  press(name: string): Promise<void> {
    return this.page.getByRole('button', { name, exact: true }).first().click()
  }

  /** Waits until so many bytes are there. @returns how many */
  async moved(bytes: number): Promise<number> {
    const bar = this.page.locator('main progress').first()
    await bar.waitFor()
    const isThere = (least: number): boolean => (document.querySelector('main progress') as HTMLProgressElement).value >= least
    await this.page.waitForFunction(isThere, bytes, { timeout: WITHIN_MS })
    return bar.evaluate((each) => (each as HTMLProgressElement).value)
  }

  /** Saves the transfer that is done. @returns what is in the file */
  async save(button = 'Save'): Promise<Buffer> {
    return readFile(await this.saved(WITHIN_MS, button))
  }

  /** @param timeout to wait until it is done, ms @returns path of the file that was saved */
  async saved(timeout = WITHIN_MS, button = 'Save'): Promise<string> {
    await this.page.getByRole('button', { name: button, exact: true }).first().waitFor({ timeout })
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.press(button)])
    return download.path()
  }
}

/** Two who are contacts, in the conversation with each other. */
export async function met(world: Interface): Promise<readonly [FilePerson, FilePerson]> {
  const [ana, bo] = [await FilePerson.open(world), await FilePerson.open(world)]
  await ana.enter('Ana')
  await ana.joined()
  await bo.enter('Bo', await ana.invite())
  await bo.write('Hello')
  await bo.sees('Hello', 'delivered')
  await ana.page.getByRole('link', { name: /Hello/ }).click()
  return [ana, bo]
}
