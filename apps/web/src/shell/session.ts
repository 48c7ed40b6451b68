/** From an empty page to a running client: what is around, who the user is, and the passphrase if there is one. */
import { connect, isHere, isSealed, lookAround, preload, type Surroundings } from '../client/connect.ts'
import { followOtherTabs, sealDrafts } from '../client/drafts.ts'
import { forget, keep, KEYS, readKept } from '../client/kept.ts'
import type { ClientModel } from '../client/model.ts'
import type { BackupFile } from '../client/own-data.ts'
import { loadEmpty } from '../client/route.ts'
import { sendUnsent } from '../client/send-once.ts'
import { Observable } from '../client/observable.ts'

export type Stage =
  | { readonly at: 'looking' }
  /** `isLost`: the browser has deleted who was here. */
  | { readonly at: 'welcome'; readonly isLost: boolean }
  | { readonly at: 'open' }
  /** `again`: the last one did not fit. `opening`: one has been given, and is tried. */
  | { readonly at: 'locked'; readonly again: boolean; readonly opening: boolean }

/** Before the client's code is asked for again, ms. */
const AGAIN_AFTER_MS = 3_000

/** Another try would end like this one. */
const isOver = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'NO_SESSION'

export interface Chosen {
  readonly name: string
  /** Empty: none. */
  readonly passphrase: string
}

export class Session extends Observable<Stage> {
  private readonly model: ClientModel
  private surroundings: Surroundings | undefined
  private answer: ((passphrase: string) => void) | undefined
  private started = false
  private isWrong = false
  /** A client has been here, so that somebody lives here. */
  private wasOpen = false
  /** Passphrase with which the keys have just been sealed: not asked for again. */
  private kept: string | undefined
  /** This page has welcomed its user, who may have come by an invite. */
  welcomed = false

  constructor(model: ClientModel) {
    super({ at: 'looking' })
    this.model = model
  }

  async begin(): Promise<void> {
    if (this.started) return
    this.started = true
    followOtherTabs(loadEmpty)
    preload()
    this.surroundings = await lookAround()
    const name = readKept(KEYS.name)
    if (name !== undefined) await this.start({ name, passphrase: '' })
    else if (this.surroundings.hostApi !== undefined) await this.start({ name: '', passphrase: '' })
    else this.set({ at: 'welcome', isLost: false })
  }

  async welcome(chosen: Chosen): Promise<void> {
    keep(KEYS.name, chosen.name)
    keep(KEYS.sealed, chosen.passphrase === '' ? 'no' : 'yes')
    // Whoever was here is known to be gone.
    forget(KEYS.account)
    this.welcomed = true
    await this.start(chosen)
  }

  /** Goes on with what a backup holds. @throws SkeinError as `restoreInBrowser`; the welcome stays then */
  async restore(backup: BackupFile, chosen: Chosen): Promise<void> {
    const sealed = chosen.passphrase === '' ? undefined : chosen.passphrase
    const { restore } = await import('../client/own-data.ts')
    await restore(backup, sealed)
    this.kept = sealed
    await this.welcome(chosen)
  }

  unlock(passphrase: string): void {
    this.set({ at: 'locked', again: false, opening: true })
    this.answer?.(passphrase)
  }

  get hosted(): boolean {
    return this.surroundings?.hostApi !== undefined
  }

  private async start({ name, passphrase }: Chosen): Promise<void> {
    if (this.surroundings === undefined) return
    void this.noteSeal(passphrase)
    this.set({ at: 'open' })
    const ask = async (need: 'new' | 'existing'): Promise<string | undefined> => {
      if (need === 'new') return this.sealNew(passphrase)
      const kept = this.kept
      this.kept = undefined
      return kept ?? this.ask()
    }
    try {
      const missing = this.hosted ? undefined : await this.missing(passphrase)
      if (missing !== undefined) return this.set({ at: 'welcome', isLost: missing === 'identity' })
      const tab = await connect(this.surroundings, { name, passphrase: ask, onFailure: (error) => this.fail(error) })
      this.model.follow(tab)
      tab.listen(() => {
        this.leaveLock(tab.api !== undefined)
        if (tab.api === undefined || this.wasOpen) return
        this.wasOpen = true
        void sendUnsent(this.model)
      })
    } catch (error) {
      this.fail(error)
      if (isOver(error)) return
      setTimeout(() => void this.start({ name, passphrase }), AGAIN_AFTER_MS)
    }
  }

  /** What was here, or was chosen, and is not there: nobody new takes its place unasked. */
  private async missing(passphrase: string): Promise<'identity' | 'seal' | undefined> {
    return (await isHere()) ? undefined : this.missed(passphrase)
  }

  /** As `missing`, where nobody is. */
  private missed(passphrase: string): 'identity' | 'seal' | undefined {
    if (readKept(KEYS.account) !== undefined) return 'identity'
    // It was chosen, and nothing was sealed with it: the page went too soon.
    return passphrase === '' && readKept(KEYS.sealed) === 'yes' ? 'seal' : undefined
  }

  /** Who was here may have been deleted since this page began, before another tab's turn came to it: it begins again, and asks. */
  private sealNew(passphrase: string): string | undefined {
    const isAsked = this.welcomed || readKept(KEYS.name) !== undefined
    if (isAsked && !this.wasOpen && this.missed(passphrase) === undefined) return passphrase || undefined
    globalThis.location.reload()
    throw new Error('nobody is here any more')
  }

  /** A passphrase that does not fit is asked for again; anything else is said in the open. */
  private fail(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    this.isWrong = code === 'CONFIG_INVALID' && this.get().at === 'locked'
    if (this.isWrong) return
    this.model.fail(error)
    this.leaveLock(true)
  }

  private leaveLock(isOver: boolean): void {
    if (isOver && this.get().at === 'locked') this.set({ at: 'open' })
  }

  private ask(): Promise<string> {
    const again = this.isWrong
    this.isWrong = false
    return new Promise((resolve) => {
      this.answer = resolve
      this.set({ at: 'locked', again, opening: false })
    })
  }

  /** The keys of a client behind the page are its own affair. */
  private async noteSeal(passphrase: string): Promise<void> {
    sealDrafts(!this.hosted && (passphrase !== '' || (await isSealed().catch(() => true))))
  }
}
