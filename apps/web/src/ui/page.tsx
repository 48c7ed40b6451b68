import type { ReactNode } from 'react'

export interface PageProps {
  readonly title: string
  readonly actions?: ReactNode
  readonly children: ReactNode
}

/** One area with a column of content that scrolls. */
export function Page({ title, actions, children }: PageProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it nobody can scroll by keys where nothing else takes them
    <main tabIndex={0} className="min-h-0 min-w-0 flex-1 overflow-y-auto">
      <div className="mx-auto grid max-w-2xl grid-cols-1 gap-5 p-4">
        <div className="flex flex-wrap items-center justify-between gap-2">
          <h1 className="text-xl font-semibold">{title}</h1>
          <div className="flex flex-wrap gap-2">{actions}</div>
        </div>
        {children}
      </div>
    </main>
  )
}

export function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section aria-label={title} className="grid grid-cols-1 gap-3 rounded-2xl border border-line bg-surface p-4">
      <h2 className="font-semibold">{title}</h2>
      {children}
    </section>
  )
}
