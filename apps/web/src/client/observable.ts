/** A value that React components can follow with useSyncExternalStore. */
import { useSyncExternalStore } from 'react'

export class Observable<T> {
  private value: T
  private readonly listeners = new Set<() => void>()

  constructor(value: T) {
    this.value = value
  }

  readonly get = (): T => this.value

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  protected set(value: T): void {
    this.value = value
    for (const each of [...this.listeners]) each()
  }

  protected patch(change: Partial<T>): void {
    this.set({ ...this.value, ...change })
  }
}

export function useObservable<T>(observable: Observable<T>): T {
  return useSyncExternalStore(observable.subscribe, observable.get, observable.get)
}
