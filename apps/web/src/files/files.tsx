import { FolderOpen } from 'lucide-react'
import { useStrings } from '../client/context.tsx'
import { Empty } from '../ui/empty.tsx'
import { Page } from '../ui/page.tsx'

export function Files() {
  const { files } = useStrings()
  return (
    <Page title={files.title}>
      <Empty icon={FolderOpen} title={files.empty} hint={files.hint} />
    </Page>
  )
}
