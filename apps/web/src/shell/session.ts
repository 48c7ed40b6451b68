/** From an empty page to a running client: what is around, who the user is, and the passphrase if there is one. */
import { type BackupFile, connect, lookAround, preload, restore, type Surroundings } from '../client/connect.ts'
import { keep, KEYS, readKept } from '../client/kept.ts'
import type { ClientModel } from '../client/model.ts'
import { Observable } from '../client/observable.ts'

export type Stage =
  | { readonly at: 'looking' }
  | { readonly at: 'welcome' }
  | { readonly at: 'open' }
  /** `again`: the last one did not fit. */
  | { readonly at: 'locked'; readonly again: boolean }

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
  private asked = false
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
    preload()
    this.surroundings = await lookAround()
    this.model.noteClock(this.surroundings.clockAheadMs)
    const name = readKept(KEYS.name)
    if (name !== undefined) await this.start({ name, passphrase: '' })
    else if (this.surroundings.hostApi !== undefined) await this.start({ name: '', passphrase: '' })
    else this.set({ at: 'welcome' })
  }

  async welcome(chosen: Chosen): Promise<void> {
    keep(KEYS.name, chosen.name)
    this.welcomed = true
    await this.start(chosen)
  }

  /** Goes on with what a backup holds. @throws SkeinError as `restoreInBrowser`; the welcome stays then */
  async restore(backup: BackupFile, chosen: Chosen): Promise<void> {
    const sealed = chosen.passphrase === '' ? undefined : chosen.passphrase
    await restore(backup, sealed)
    this.kept = sealed
    await this.welcome(chosen)
  }

  unlock(passphrase: string): void {
    this.set({ at: 'open' })
    this.answer?.(passphrase)
  }

  get hosted(): boolean {
    return this.surroundings?.hostApi !== undefined
  }

  private async start({ name, passphrase }: Chosen): Promise<void> {
    if (this.surroundings === undefined) return
    this.set({ at: 'open' })
    const ask = async (need: 'new' | 'existing'): Promise<string | undefined> => {
      if (need === 'new') return passphrase === '' ? undefined : passphrase
      const kept = this.kept
      this.kept = undefined
      return kept ?? this.ask()
    }
    try {
      const tab = await connect(this.surroundings, { name, passphrase: ask, onFailure: (error) => this.model.fail(error) })
      this.model.follow(tab)
    } catch (error) {
      this.model.fail(error)
    }
  }

  private ask(): Promise<string> {
    const again = this.asked
    this.asked = true
    return new Promise((resolve) => {
      this.answer = resolve
      this.set({ at: 'locked', again })
    })
  }
}
